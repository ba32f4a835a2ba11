// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include <random>

using namespace statiq;

namespace {

using per_channel_weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;
using signed_byte = quantized<8, asymmetric_signed>;
using four_bit_weight = quantized<4, symmetric, per_channel>;
using wide = quantized<12, asymmetric>;

/// A float layer among integer ones, reached by two branches.
struct float_island final
    : network<decltype(input<7, 9, 3> | conv<6>(kernel<3>) | batch_norm | relu |
                       with<float32>(add(conv<6>(kernel<3>) | batch_norm, depthwise | relu6) | max_pool) | conv<5> |
                       relu6 | global_average_pool | dense<4> | softmax)> {};

/// The other way round: floats, with integers in the middle.
struct integer_island final
    : network<decltype(with<float32>(input<6, 5, 4>) | with<float32>(conv<7>(kernel<3>) | relu) |
                       add(conv<5>(kernel<3>) | relu, conv<5>) | with<float32>(flatten | dense<6> | softmax))> {};

/// Narrow weights and wide activations, and joins of tensors stored differently.
struct widths final : network<decltype(input<8, 7, 3> | with<four_bit_weight>(conv<9>(kernel<3>, stride<2>)) | relu |
                                       add(with<per_channel_weight, wide>(depthwise | batch_norm), identity) | relu |
                                       concat(with<per_channel_weight, signed_byte>(conv<4>),
                                              conv<5>(kernel<1, 3>) | relu6, max_pool(kernel<3>, stride<1>, same)) |
                                       with<per_channel_weight, wide>(convert) | average_pool | flatten |
                                       with<four_bit_weight>(dense<11>) | relu | dense<3>)> {};

/// One tensor read in three formats.
struct fan_out final
    : network<decltype(input<5, 5, 2> | named<"stem">(conv<4>) |
                       concat(with<float32>(conv<3>), with<per_channel_weight, wide>(add(conv<4>, identity)),
                              with<per_channel_weight, signed_byte>(max_pool(kernel<3>, stride<1>, same) | convert)))> {
};

} // namespace

TEST_CASE("executions agree: float layers among integers, integers among floats, mixed widths") {
    std::mt19937 random(110);
    support::combination_tally results;
    for (int round = 0; round < 3; ++round) {
        support::check_network<float_island, per_channel_weight, byte>(random, results);
        support::check_network<integer_island, per_channel_weight, byte>(random, results);
        support::check_network<widths, per_channel_weight, byte>(random, results);
        support::check_network<fan_out, per_channel_weight, byte>(random, results);
    }
    results.report();
}
