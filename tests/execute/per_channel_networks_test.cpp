// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/random_network.hpp"
#include <random>

using namespace statiq;

TEST_CASE("executions agree: symmetric 8 bit weights with a scale a channel") {
    std::mt19937 random(102);
    support::combination_tally results;
    support::for_each_random_network<4, 8>([&]<class Net>() {
        support::check_network<Net, quantized<8, symmetric, per_channel>, quantized<8, asymmetric>>(random, results);
    });
    results.report();
}
