// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include <random>

using namespace statiq;

namespace {

using per_channel_weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;

/// A float layer among integer ones, reached by two branches.
struct float_island final
    : network<decltype(input<7, 9, 3> | conv<6>(kernel<3>) | batch_norm | relu |
                       with<float32>(add(conv<6>(kernel<3>) | batch_norm, depthwise | relu6) | max_pool) | conv<5> |
                       relu6 | global_average_pool | dense<4> | softmax)> {};

/// The other way round: floats, with integers in the middle.
struct integer_island final
    : network<decltype(with<float32>(input<6, 5, 4>) | with<float32>(conv<7>(kernel<3>) | relu) |
                       add(conv<5>(kernel<3>) | relu, conv<5>) | with<float32>(flatten | dense<6> | softmax))> {};

} // namespace

TEST_CASE("executions agree: float layers among integers, integers among floats") {
    std::mt19937 random(110);
    support::combination_tally results;
    for (int round = 0; round < 3; ++round) {
        support::check_network<float_island, per_channel_weight, byte>(random, results);
        support::check_network<integer_island, per_channel_weight, byte>(random, results);
    }
    results.report();
}
