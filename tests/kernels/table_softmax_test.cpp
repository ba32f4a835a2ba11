// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/reference/softmax.hpp>
#include <statiq/kernels/reference/table_softmax.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace reference = statiq::kernels::reference;

TEST_CASE("softmax by table is softmax, to half a step and the float sum's error") {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        const int channels = std::uniform_int_distribution<int>(1, 300)(random);
        const float scale = std::uniform_real_distribution<float>(0.001F, 0.5F)(random);
        std::vector<std::int8_t> input(static_cast<std::size_t>(2 * channels));
        for (auto& q : input) q = static_cast<std::int8_t>(std::uniform_int_distribution<int>(-128, 127)(random));
        std::array<float, reference::exponential_count> table{};
        reference::fill_exponentials(scale, table.data());
        std::vector<std::uint8_t> output(input.size());
        reference::table_softmax(reference::table_softmax_arguments<std::int8_t, std::uint8_t>{
            .input = input.data(), .in = {2, 1, channels}, .table = table.data(), .output = output.data()});
        for (int pixel = 0; pixel < 2; ++pixel) {
            const auto* row = input.data() + pixel * channels;
            double sum = 0;
            for (int c = 0; c < channels; ++c) sum += std::exp(static_cast<double>(scale) * row[c]);
            for (int c = 0; c < channels; ++c) {
                const double exact = 256.0 * std::exp(static_cast<double>(scale) * row[c]) / sum;
                // `channels` float additions and four more roundings, each within 2^-24 of at most 256.
                const double slack = 0.5 + 256.0 * (channels + 4) * 0x1p-24;
                const double got = output[static_cast<std::size_t>(pixel * channels + c)];
                CHECK(std::abs(got - std::min(exact, 255.0)) <= slack + (exact > 255.0 ? 0.5 : 0.0));
            }
        }
    }
}

TEST_CASE("softmax by table and in fixed point differ by at most one step") {
    std::mt19937 random(8);
    std::size_t different = 0;
    for (int round = 0; round < 200; ++round) {
        const int channels = std::uniform_int_distribution<int>(2, 40)(random);
        const float scale = std::uniform_real_distribution<float>(0.01F, 0.3F)(random);
        std::vector<std::int8_t> input(static_cast<std::size_t>(channels));
        for (auto& q : input) q = static_cast<std::int8_t>(std::uniform_int_distribution<int>(-128, 127)(random));
        std::array<float, reference::exponential_count> table{};
        reference::fill_exponentials(scale, table.data());
        std::vector<std::int8_t> by_table(input.size());
        std::vector<std::int8_t> fixed(input.size());
        const statiq::extents row{1, 1, channels};
        reference::table_softmax(reference::table_softmax_arguments<std::int8_t, std::int8_t>{
            .input = input.data(), .in = row, .table = table.data(), .output = by_table.data()});
        reference::softmax(reference::softmax_arguments<std::int8_t, std::int8_t>{
            .input = input.data(), .in = row, .parameters = reference::prepare_softmax(scale), .output = fixed.data()});
        for (std::size_t c = 0; c < input.size(); ++c) {
            CHECK(std::abs(by_table[c] - fixed[c]) <= 1);
            if (by_table[c] != fixed[c]) ++different;
        }
    }
    MESSAGE("elements that differ: " << different);
}
