// SPDX-License-Identifier: Apache-2.0
#include "single_layer.hpp"

namespace {
using benchmarks::register_conv3x3;

const bool registered = register_conv3x3<224, 3, 32, 2>("conv_224x224x3_32_s2") &&
                        register_conv3x3<56, 48, 48, 1>("conv3x3_56x56x48_48") &&
                        register_conv3x3<28, 96, 96, 1>("conv3x3_28x28x96_96") &&
                        register_conv3x3<14, 192, 192, 1>("conv3x3_14x14x192_192");
} // namespace
