// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/random_network.hpp"
#include <random>

using namespace statiq;

namespace {
template <class Activation>
void check_functions(unsigned seed) {
    std::mt19937 random(seed);
    support::combination_tally results;
    support::for_each_random_network<support::first_with_functions,
                                     support::first_with_functions + support::function_networks>([&]<class Net>() {
        support::check_network<Net, quantized<8, symmetric, per_channel>, Activation>(random, results);
    });
    results.report();
}
} // namespace

TEST_CASE("executions agree: products and functions, signed bytes") {
    check_functions<quantized<8, asymmetric_signed>>(411);
}
