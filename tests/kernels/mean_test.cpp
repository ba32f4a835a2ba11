// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/mean.hpp>
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

template <class Scheme, class In, class Out>
void compare_means(std::mt19937& random) {
    for (int round = 0; round < 100; ++round) {
        const statiq::extents in{uniform(random, 1, 15), uniform(random, 1, 15), uniform(random, 1, 70)};
        const support::guarded_vector<In> input = guarded_values<In>(random, in.size());
        const int input_zero = random_zero_point<In>(random);
        const int output_zero = random_zero_point<Out>(random);
        const double ratio = static_cast<double>(random_scale(random, 1.0 / 64, 16));
        const auto pixels = static_cast<std::int64_t>(in.pixels());
        const auto factor = Scheme::prepare_mean(ratio, pixels);
        support::guarded_vector<Out> output(static_cast<std::size_t>(in.channels));
        const int low = uniform(random, lowest<Out>(), output_zero);
        const int high = uniform(random, output_zero, highest<Out>());
        const reference::mean_arguments<In, Out, Scheme> mean{.input = input.data(),
                                                              .in = in,
                                                              .input_zero_point = input_zero,
                                                              .factor = factor,
                                                              .output_zero_point = output_zero,
                                                              .lowest = low,
                                                              .highest = high,
                                                              .output = output.data()};
        reference::mean(mean);
        // Every instruction set gives the definition's bits.
        for_each_arch([&](auto arch) {
            support::guarded_vector<Out> vector(output.size());
            auto same = mean;
            same.output = vector.data();
            statiq::kernels::mean(same, arch);
            REQUIRE(vector == output);
        });
        // gemmlowp divides the multiplier by the count in integers; what is left of it is at least 2^29.
        const double truncation = std::is_same_v<Scheme, statiq::gemmlowp> ? 0x1p-29 : 0.0;
        for (std::size_t c = 0; c < output.size(); ++c) {
            double sum = 0;
            for (std::size_t i = c; i < input.size(); i += output.size()) sum += input[i] - input_zero;
            const double scaled = sum * ratio / static_cast<double>(pixels);
            const double expected = std::clamp<double>(scaled + output_zero, low, high);
            REQUIRE(std::abs(output[c] - expected) <= apply_error<Scheme>(scaled, factor, truncation));
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("an integer mean is the real mean, rounded", Scheme, statiq::gemmlowp, statiq::single_rounding,
                   statiq::float_multiplier) {
    std::mt19937 random(11);
    compare_means<Scheme, std::int8_t, std::int8_t>(random);
    compare_means<Scheme, std::uint8_t, std::uint8_t>(random);
    compare_means<Scheme, std::uint8_t, std::int16_t>(random);
    compare_means<Scheme, std::int16_t, std::int8_t>(random);
    compare_means<Scheme, std::uint16_t, std::uint16_t>(random);
}

TEST_CASE_TEMPLATE("a constant image keeps its value", Scheme, statiq::gemmlowp, statiq::single_rounding,
                   statiq::float_multiplier) {
    for (int side = 1; side <= 16; ++side)
        for (int q = -128; q <= 127; ++q) {
            const statiq::extents in{side, side, 1};
            const std::vector<std::int8_t> input(in.size(), static_cast<std::int8_t>(q));
            std::int8_t output = 0;
            reference::mean(reference::mean_arguments<std::int8_t, std::int8_t, Scheme>{
                .input = input.data(),
                .in = in,
                .input_zero_point = -128,
                .factor = Scheme::prepare_mean(1.0, side * side),
                .output_zero_point = -128,
                .output = &output});
            REQUIRE(output == q);
        }
}

TEST_CASE("the largest images do not overflow") {
    const statiq::extents in{128, 256, 1}; // 2^15 pixels
    const std::vector<std::uint16_t> input(in.size(), std::uint16_t{65535});
    std::uint16_t output = 0;
    using scheme = statiq::single_rounding;
    for (const int zero : {0, 65535}) {
        reference::mean(reference::mean_arguments<std::uint16_t, std::uint16_t, scheme>{
            .input = input.data(),
            .in = in,
            .input_zero_point = zero,
            .factor = scheme::prepare_mean(1.0, static_cast<std::int64_t>(in.pixels())),
            .output_zero_point = zero,
            .output = &output});
        CHECK(output == 65535);
    }
}

TEST_CASE("a float mean is the mean") {
    std::mt19937 random(12);
    for (int round = 0; round < 50; ++round) {
        const statiq::extents in{uniform(random, 1, 15), uniform(random, 1, 15), uniform(random, 1, 70)};
        const std::vector<float> input = random_values<float>(random, in.size());
        std::vector<float> output(static_cast<std::size_t>(in.channels));
        reference::mean(reference::float_mean_arguments{
            .input = input.data(), .in = in, .lowest = -0.5f, .highest = 0.5f, .output = output.data()});
        for (std::size_t c = 0; c < output.size(); ++c) {
            long double sum = 0;
            for (std::size_t i = c; i < input.size(); i += output.size()) sum += static_cast<long double>(input[i]);
            const auto mean = static_cast<double>(sum / static_cast<long double>(in.pixels()));
            const double expected = std::clamp(mean, -0.5, 0.5);
            // One rounding to float, and at most 225 roundings of sums below 2250 in double.
            REQUIRE(std::abs(static_cast<double>(output[c]) - expected) <= 0x1p-24 * std::abs(expected) + 1e-12);
        }
    }
}

namespace {

template <class Scheme>
constexpr bool mean_at_compile_time() {
    // Channel 0: 0 2 4 6, channel 1: 1 1 1 5; zero point 1, twice the scale of the output.
    const std::array<std::uint8_t, 8> input{0, 1, 2, 1, 4, 1, 6, 5};
    std::array<std::int8_t, 2> output{};
    reference::mean(reference::mean_arguments<std::uint8_t, std::int8_t, Scheme>{.input = input.data(),
                                                                                 .in = {2, 2, 2},
                                                                                 .input_zero_point = 1,
                                                                                 .factor = Scheme::prepare_mean(2.0, 4),
                                                                                 .output_zero_point = -10,
                                                                                 .output = output.data()});
    return output == std::array<std::int8_t, 2>{-6, -8};
}
static_assert(mean_at_compile_time<statiq::gemmlowp>());
static_assert(mean_at_compile_time<statiq::single_rounding>());
static_assert(mean_at_compile_time<statiq::float_multiplier>());

constexpr bool float_mean_at_compile_time() {
    const std::array<float, 4> input{1, 10, 2, 20};
    std::array<float, 2> output{};
    reference::mean(reference::float_mean_arguments{.input = input.data(), .in = {1, 2, 2}, .output = output.data()});
    return output == std::array<float, 2>{1.5f, 15};
}
static_assert(float_mean_at_compile_time());

} // namespace
