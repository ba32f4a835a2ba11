// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v1.hpp>

#include "../network_benchmark.hpp"

namespace {
const bool registered =
    benchmarks::register_network<statiq::networks::mobilenet_v1<100, 224>, 7, 4>("mobilenet_v1_1.0_224");
} // namespace
