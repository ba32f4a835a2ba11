// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "../network_benchmark.hpp"

namespace {
const bool registered = benchmarks::register_network<statiq::networks::mobilenet_v1<25, 96>>("mobilenet_v1_0.25_96");
} // namespace
