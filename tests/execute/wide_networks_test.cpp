// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/random_network.hpp"
#include <random>

using namespace statiq;

TEST_CASE("executions agree: 16 bit activations, where sums are short enough for int32") {
    std::mt19937 random(106);
    support::combination_tally results;
    support::for_each_random_network<0, 4, true>([&]<class Net>() {
        support::check_network<Net, quantized<8, symmetric>, quantized<16, symmetric>>(random, results);
    });
    results.report();
    CHECK(results.gemmlowp.fed.values > 0); // some networks have sums short enough
}

TEST_CASE("executions agree: 16 bit activations with zero points, 4 bit weights") {
    std::mt19937 random(107);
    support::combination_tally results;
    support::for_each_random_network<4, 6, true>([&]<class Net>() {
        support::check_network<Net, quantized<4, symmetric>, quantized<16, asymmetric>>(random, results);
    });
    results.report();
    CHECK(results.gemmlowp.fed.values > 0); // some networks have sums short enough
}

TEST_CASE("executions agree: 16 bit weights with zero points") {
    std::mt19937 random(108);
    support::combination_tally results;
    support::for_each_random_network<6, 9>([&]<class Net>() {
        support::check_network<Net, quantized<16, asymmetric>, quantized<8, asymmetric>>(random, results);
    });
    results.report();
    CHECK(results.gemmlowp.fed.values > 0); // some networks have sums short enough
}
