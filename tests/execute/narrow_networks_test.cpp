// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/random_network.hpp"
#include <random>

using namespace statiq;

TEST_CASE("executions agree: 4 bit weights") {
    std::mt19937 random(104);
    support::combination_tally results;
    support::for_each_random_network<12, 14>([&]<class Net>() {
        support::check_network<Net, quantized<4, symmetric, per_channel>, quantized<8, asymmetric>>(random, results);
    });
    results.report();
}

TEST_CASE("executions agree: 6 bit activations") {
    std::mt19937 random(105);
    support::combination_tally results;
    support::for_each_random_network<14, 16, true>([&]<class Net>() {
        support::check_network<Net, quantized<8, symmetric>, quantized<6, asymmetric>>(random, results);
    });
    results.report();
}
