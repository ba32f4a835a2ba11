// SPDX-License-Identifier: Apache-2.0
#include "single_layer.hpp"

namespace {
using benchmarks::register_depthwise;

const bool registered =
    register_depthwise<112, 32, 1>("dw_112x112x32_s1") && register_depthwise<112, 64, 2>("dw_112x112x64_s2") &&
    register_depthwise<56, 128, 1>("dw_56x56x128_s1") && register_depthwise<28, 256, 1>("dw_28x28x256_s1") &&
    register_depthwise<14, 512, 1>("dw_14x14x512_s1") && register_depthwise<7, 1024, 1>("dw_7x7x1024_s1");
} // namespace
