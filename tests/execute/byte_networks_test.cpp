// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/random_network.hpp"
#include <random>

using namespace statiq;

TEST_CASE("executions agree: 8 bit weights and activations with zero points, one scale a tensor") {
    std::mt19937 random(101);
    support::combination_tally results;
    support::for_each_random_network<0, 4>([&]<class Net>() {
        support::check_network<Net, quantized<8, asymmetric>, quantized<8, asymmetric>>(random, results);
    });
    results.report();
}
