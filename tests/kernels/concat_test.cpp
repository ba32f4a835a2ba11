// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/concat.hpp>
#include <statiq/numeric/requantize.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "support.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

namespace reference = statiq::kernels::reference;
using namespace kernel_test;

namespace {

/// Joins images of random widths, each with its own scale and zero point, and compares every output value with the
/// input value it stands for.
template <class Scheme, class In, class Out>
void compare_concatenations(std::mt19937& random) {
    for (int round = 0; round < 50; ++round) {
        const int height = uniform(random, 1, 9);
        const int width = uniform(random, 1, 9);
        const int parts = uniform(random, 1, 5);
        std::vector<int> widths;
        int channels = 0;
        for (int k = 0; k < parts; ++k) {
            widths.push_back(uniform(random, 1, 21));
            channels += widths.back();
        }
        const auto pixels = static_cast<std::size_t>(height * width);
        std::vector<Out> output(pixels * static_cast<std::size_t>(channels));
        const float output_scale = random_scale(random, 1.0 / 64, 1);
        const int output_zero = random_zero_point<Out>(random);
        int first = 0;
        for (const int part : widths) {
            const statiq::extents in{height, width, part};
            const auto input = guarded_values<In>(random, in.size());
            const bool keeps = std::is_same_v<In, Out> && uniform(random, 0, 2) == 0; // scale and zero point
            const int zero = keeps ? output_zero : random_zero_point<In>(random);
            const float scale = keeps ? output_scale : random_scale(random, 1.0 / 64, 1);
            const double ratio = static_cast<double>(scale) / static_cast<double>(output_scale);
            const auto factor = Scheme::prepare(ratio);
            const std::vector<Out> before = output;
            reference::concat_arguments<In, Out, Scheme> values{.input = input.data(),
                                                                .in = in,
                                                                .input_zero_point = zero,
                                                                .factor = factor,
                                                                .output_zero_point = output_zero,
                                                                .channels = channels,
                                                                .first_channel = first,
                                                                .output = output.data()};
            reference::concat(values);
            for_each_arch([&](auto arch) {
                support::guarded_vector<Out> vector(before.begin(), before.end());
                values.output = vector.data();
                statiq::kernels::concat(values, arch);
                REQUIRE(std::equal(vector.begin(), vector.end(), output.begin()));
            });
            for (std::size_t i = 0; i < output.size(); ++i) {
                const int channel = static_cast<int>(i % static_cast<std::size_t>(channels)) - first;
                const std::size_t pixel = i / static_cast<std::size_t>(channels);
                if (channel < 0 || channel >= part) {
                    REQUIRE(output[i] == before[i]);
                    continue;
                }
                const In q = input[pixel * static_cast<std::size_t>(part) + static_cast<std::size_t>(channel)];
                const double scaled = (q - zero) * ratio;
                const double expected = std::clamp<double>(scaled + output_zero, lowest<Out>(), highest<Out>());
                REQUIRE(std::abs(output[i] - expected) <= apply_error<Scheme>(scaled, factor));
            }
            first += part;
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("a concatenation writes every part to its channels, requantized", Scheme, statiq::gemmlowp,
                   statiq::single_rounding, statiq::float_multiplier) {
    std::mt19937 random(31);
    compare_concatenations<Scheme, std::int8_t, std::int8_t>(random);
    compare_concatenations<Scheme, std::uint8_t, std::uint8_t>(random);
    compare_concatenations<Scheme, std::int16_t, std::uint8_t>(random);
    compare_concatenations<Scheme, std::uint8_t, std::uint16_t>(random);
}

TEST_CASE_TEMPLATE("with equal scales and zero points a concatenation is a copy", Scheme, statiq::gemmlowp,
                   statiq::single_rounding, statiq::float_multiplier) {
    std::vector<std::int16_t> input;
    for (int q = -32768; q <= 32767; ++q) input.push_back(static_cast<std::int16_t>(q));
    for (const int zero : {-32768, -77, 0, 32767}) {
        std::vector<std::int16_t> output(input.size());
        reference::concat(
            reference::concat_arguments<std::int16_t, std::int16_t, Scheme>{.input = input.data(),
                                                                            .in = {256, 256, 1},
                                                                            .input_zero_point = zero,
                                                                            .factor = Scheme::prepare(1.0),
                                                                            .output_zero_point = zero,
                                                                            .channels = 1,
                                                                            .output = output.data()});
        REQUIRE(output == input);
    }
}

TEST_CASE("a float concatenation copies") {
    std::mt19937 random(32);
    const statiq::extents in{3, 5, 7};
    const std::vector<float> input = random_values<float>(random, in.size());
    std::vector<float> output(in.pixels() * 10, -99.0f);
    reference::concat(reference::float_concat_arguments{
        .input = input.data(), .in = in, .channels = 10, .first_channel = 2, .output = output.data()});
    for (std::size_t pixel = 0; pixel < in.pixels(); ++pixel)
        for (std::size_t c = 0; c < 10; ++c)
            CHECK(output[pixel * 10 + c] == (c < 2 || c >= 9 ? -99.0f : input[pixel * 7 + c - 2]));
}

namespace {

constexpr bool concat_at_compile_time() {
    using scheme = statiq::gemmlowp;
    const std::array<std::uint8_t, 2> narrow{130, 255}; // scale 1, zero point 128
    std::array<std::int8_t, 4> output{1, 1, 1, 1};      // scale 2, zero point -1
    reference::concat(reference::concat_arguments<std::uint8_t, std::int8_t, scheme>{.input = narrow.data(),
                                                                                     .in = {2, 1, 1},
                                                                                     .input_zero_point = 128,
                                                                                     .factor = scheme::prepare(0.5),
                                                                                     .output_zero_point = -1,
                                                                                     .channels = 2,
                                                                                     .first_channel = 1,
                                                                                     .output = output.data()});
    return output == std::array<std::int8_t, 4>{1, 0, 1, 63}; // 127 / 2 rounds to 64
}
static_assert(concat_at_compile_time());

constexpr bool float_concat_at_compile_time() {
    const std::array<float, 2> input{1, 2};
    std::array<float, 4> output{};
    reference::concat(reference::float_concat_arguments{
        .input = input.data(), .in = {2, 1, 1}, .channels = 2, .first_channel = 1, .output = output.data()});
    return output == std::array<float, 4>{0, 1, 0, 2};
}
static_assert(float_concat_at_compile_time());

} // namespace
