// SPDX-License-Identifier: Apache-2.0
#define STATIQ_HEADER_KERNELS // for formats that statiq::compiled lacks

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

TEST_CASE("executions agree: widths and signs mixed, a tensor read in several formats") {
    std::mt19937 random(111);
    support::combination_tally results;
    for (int round = 0; round < 3; ++round) {
        support::check_network<widths, per_channel_weight, byte>(random, results);
        support::check_network<fan_out, per_channel_weight, byte>(random, results);
    }
    results.report();
}
