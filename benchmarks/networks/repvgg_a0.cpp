// SPDX-License-Identifier: Apache-2.0
#include "../network_benchmark.hpp"
#include "../repvgg_plain.hpp"

namespace {
const bool registered = benchmarks::register_network<benchmarks::repvgg_a0_224>("repvgg_a0_224");
} // namespace
