// SPDX-License-Identifier: Apache-2.0
#include "single_layer.hpp"

namespace {
using benchmarks::register_pointwise;

const bool registered =
    register_pointwise<112, 32, 64>("pw_112x112x32_64") && register_pointwise<56, 128, 128>("pw_56x56x128_128") &&
    register_pointwise<28, 256, 256>("pw_28x28x256_256") && register_pointwise<14, 512, 512>("pw_14x14x512_512") &&
    register_pointwise<7, 1024, 1024>("pw_7x7x1024_1024");
} // namespace
