// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/random_network.hpp"
#include <random>

using namespace statiq;

TEST_CASE("executions agree: signed 8 bit activations and weights") {
    std::mt19937 random(103);
    support::combination_tally results;
    support::for_each_random_network<8, 12>([&]<class Net>() {
        support::check_network<Net, quantized<8, symmetric, per_channel>, quantized<8, asymmetric_signed>>(random,
                                                                                                           results);
    });
    results.report();
}
