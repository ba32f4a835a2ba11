// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>

#include "../network_benchmark.hpp"

namespace {
// Three branches a block as it is defined, one 3 x 3 convolution as it is deployed and timed.
const bool registered =
    benchmarks::register_network<statiq::networks::repvgg<statiq::networks::repvgg_a0>>("repvgg_a0_224");
} // namespace
