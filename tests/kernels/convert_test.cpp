// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convert.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/numeric/rounding.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "support.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace reference = statiq::kernels::reference;
using namespace kernel_test;

namespace {

template <class Number>
void quantize_and_back(std::mt19937& random) {
    using storage = typename Number::storage;
    constexpr statiq::number_format format = Number::format;
    for (int round = 0; round < 50; ++round) {
        const float low = static_cast<float>(uniform_real(random, -20, 0));
        const float high = static_cast<float>(uniform_real(random, 0.01, 20));
        const statiq::affine numbers = statiq::choose_affine(format, {low, high});
        std::vector<float> input = random_values<float>(random, 101);
        input[0] = std::numeric_limits<float>::infinity();
        input[1] = -std::numeric_limits<float>::infinity();
        input[2] = std::numeric_limits<float>::quiet_NaN();
        std::vector<storage> stored(input.size());
        std::vector<float> back(input.size());
        reference::quantize(reference::quantize_arguments<storage>{.input = input.data(),
                                                                   .size = input.size(),
                                                                   .numbers = numbers,
                                                                   .format = format,
                                                                   .output = stored.data()});
        reference::dequantize(reference::dequantize_arguments<storage>{
            .input = stored.data(), .size = stored.size(), .numbers = numbers, .output = back.data()});
        CHECK(stored[0] == format.highest);
        CHECK(stored[1] == format.lowest);
        CHECK(stored[2] == numbers.zero_point);
        const auto scale = static_cast<double>(numbers.scale);
        const auto [first, last] = statiq::representable(numbers, format);
        for (std::size_t i = 3; i < input.size(); ++i) {
            const double expected = std::round(static_cast<double>(input[i] / numbers.scale)) + numbers.zero_point;
            REQUIRE(stored[i] == std::clamp<double>(expected, format.lowest, format.highest));
            // Half a step, and the float roundings of x / scale and scale * q.
            const auto nearest = static_cast<double>(std::clamp(input[i], first, last));
            REQUIRE(std::abs(static_cast<double>(back[i]) - nearest) <= scale / 2 + 20 * 0x1p-22);
        }
        // What has been on the grid stays where it is.
        std::vector<storage> again(stored.size());
        reference::quantize(reference::quantize_arguments<storage>{
            .input = back.data(), .size = back.size(), .numbers = numbers, .format = format, .output = again.data()});
        REQUIRE(again == stored);
    }
}

template <class Scheme, class In, class Out>
void compare_requantization(std::mt19937& random) {
    for (int round = 0; round < 50; ++round) {
        const auto input = guarded_values<In>(random, static_cast<std::size_t>(uniform(random, 1, 303)));
        support::guarded_vector<Out> output(input.size());
        const double ratio = static_cast<double>(round % 10 == 0 ? 1e8F : random_scale(random, 1e-5, 64));
        const auto factor = Scheme::prepare(ratio);
        const int input_zero = random_zero_point<In>(random);
        const int output_zero = random_zero_point<Out>(random);
        const int low = uniform(random, lowest<Out>(), output_zero);
        const int high = uniform(random, output_zero, highest<Out>());
        reference::requantize_arguments<In, Out, Scheme> values{.input = input.data(),
                                                                .size = input.size(),
                                                                .input_zero_point = input_zero,
                                                                .factor = factor,
                                                                .output_zero_point = output_zero,
                                                                .lowest = low,
                                                                .highest = high,
                                                                .output = output.data()};
        reference::requantize(values);
        for_each_arch([&](auto arch) {
            support::guarded_vector<Out> vector(output.size());
            values.output = vector.data();
            statiq::kernels::requantize(values, arch);
            REQUIRE(vector == output);
        });
        for (std::size_t i = 0; i < input.size(); ++i) {
            const double scaled = (input[i] - input_zero) * ratio;
            const double expected = std::clamp<double>(scaled + output_zero, low, high);
            REQUIRE(std::abs(output[i] - expected) <= apply_error<Scheme>(scaled, factor));
        }
    }
}

} // namespace

TEST_CASE("arrays of floats go to the grid and back") {
    std::mt19937 random(41);
    quantize_and_back<statiq::quantized<8, statiq::asymmetric>>(random);
    quantize_and_back<statiq::quantized<8, statiq::asymmetric_signed>>(random);
    quantize_and_back<statiq::quantized<8, statiq::symmetric>>(random);
    quantize_and_back<statiq::quantized<4, statiq::asymmetric>>(random);
    quantize_and_back<statiq::quantized<3, statiq::symmetric>>(random);
    quantize_and_back<statiq::quantized<12, statiq::asymmetric>>(random);
    quantize_and_back<statiq::quantized<16, statiq::symmetric>>(random);
}

TEST_CASE("the rounding rule is the caller's") {
    const std::array<float, 4> input{0.5f, 1.5f, -0.5f, -1.5f};
    std::array<std::int8_t, 4> output{};
    const reference::quantize_arguments<std::int8_t> arguments{.input = input.data(),
                                                               .size = input.size(),
                                                               .numbers = {},
                                                               .format = statiq::quantized<8>::format,
                                                               .output = output.data()};
    reference::quantize(arguments);
    CHECK(output == std::array<std::int8_t, 4>{1, 2, -1, -2});
    reference::quantize<statiq::half_even>(arguments);
    CHECK(output == std::array<std::int8_t, 4>{0, 2, 0, -2});
    reference::quantize<statiq::half_up>(arguments);
    CHECK(output == std::array<std::int8_t, 4>{1, 2, 0, -1});
}

TEST_CASE("stochastic rounding draws anew for every value") {
    const std::vector<float> input(4000, 0.25f);
    std::vector<std::int8_t> output(input.size());
    statiq::stochastic rule(5);
    reference::quantize(reference::quantize_arguments<std::int8_t>{.input = input.data(),
                                                                   .size = input.size(),
                                                                   .numbers = {},
                                                                   .format = statiq::quantized<8>::format,
                                                                   .output = output.data()},
                        rule);
    const auto ones = std::count(output.begin(), output.end(), std::int8_t{1});
    CHECK(ones + std::count(output.begin(), output.end(), std::int8_t{0}) == 4000);
    // Binomial(4000, 1/4): standard deviation 27.4; six of them.
    CHECK(std::abs(static_cast<double>(ones) - 1000) <= 165);
}

TEST_CASE_TEMPLATE("requantizing an array is the real map, rounded", Scheme, statiq::gemmlowp, statiq::single_rounding,
                   statiq::float_multiplier) {
    std::mt19937 random(42);
    compare_requantization<Scheme, std::int8_t, std::int8_t>(random);
    compare_requantization<Scheme, std::uint8_t, std::int8_t>(random);
    compare_requantization<Scheme, std::int8_t, std::uint16_t>(random);
    compare_requantization<Scheme, std::uint16_t, std::uint8_t>(random);
    compare_requantization<Scheme, std::int16_t, std::int16_t>(random);
}

TEST_CASE_TEMPLATE("uint8 and int8 with zero points 128 apart differ in the top bit only", Scheme, statiq::gemmlowp,
                   statiq::single_rounding, statiq::float_multiplier) {
    for (int q = 0; q < 256; ++q) {
        const auto input = static_cast<std::uint8_t>(q);
        std::int8_t output = 0;
        reference::requantize(
            reference::requantize_arguments<std::uint8_t, std::int8_t, Scheme>{.input = &input,
                                                                               .size = 1,
                                                                               .input_zero_point = 100,
                                                                               .factor = Scheme::prepare(1.0),
                                                                               .output_zero_point = -28,
                                                                               .output = &output});
        REQUIRE(static_cast<std::uint8_t>(output) == (input ^ 0x80));
    }
}

TEST_CASE("extreme multipliers saturate, as the clamp comes before the zero point") {
    const std::array<std::int16_t, 2> input{-32768, 32767};
    std::array<std::int16_t, 2> output{};
    const auto run = [&](auto scheme, double ratio) {
        using Scheme = decltype(scheme);
        reference::requantize(
            reference::requantize_arguments<std::int16_t, std::int16_t, Scheme>{.input = input.data(),
                                                                                .size = 2,
                                                                                .input_zero_point = 5,
                                                                                .factor = Scheme::prepare(ratio),
                                                                                .output_zero_point = 32767,
                                                                                .output = output.data()});
        CHECK(output == std::array<std::int16_t, 2>{-32768, 32767});
    };
    for (const double ratio : {1e5, 1e8}) {
        run(statiq::gemmlowp{}, ratio);
        run(statiq::single_rounding{}, ratio);
        run(statiq::float_multiplier{}, ratio);
    }
}

TEST_CASE_TEMPLATE("a clamp in stored units is relu in real units", T, std::int8_t, std::uint8_t, std::int16_t,
                   std::uint16_t) {
    std::mt19937 random(43);
    const statiq::affine numbers{.scale = 0.125f, .zero_point = (lowest<T>() + highest<T>()) / 2};
    std::vector<T> values = random_values<T>(random, 777);
    std::vector<T> output(values.size());
    reference::clamp_arguments<T> clamp{.input = values.data(),
                                        .size = values.size(),
                                        .lowest = numbers.zero_point,
                                        .highest = numbers.zero_point + 48, // 6 / 0.125
                                        .output = output.data()};
    reference::clamp(clamp);
    for_each_arch([&](auto arch) {
        support::guarded_vector<T> same(values.begin(), values.end());
        auto in_place = clamp;
        in_place.input = in_place.output = same.data();
        statiq::kernels::clamp(in_place, arch);
        REQUIRE(std::equal(same.begin(), same.end(), output.begin()));
    });
    for (std::size_t i = 0; i < values.size(); ++i)
        REQUIRE(statiq::dequantize(output[i], numbers) ==
                std::clamp(statiq::dequantize(values[i], numbers), 0.0f, 6.0f));
    clamp.output = values.data();
    reference::clamp(clamp);
    CHECK(values == output);
}

TEST_CASE("a float clamp with only a lower bound is relu") {
    const std::array<float, 3> input{-1, 0.5f, 1e30f};
    std::array<float, 3> output{};
    reference::clamp(
        reference::clamp_arguments<float>{.input = input.data(), .size = 3, .lowest = 0, .output = output.data()});
    CHECK(output == std::array<float, 3>{0, 0.5f, 1e30f});
}

namespace {

constexpr bool convert_at_compile_time() {
    const std::array<float, 3> input{-1.0f, 0.75f, 99.0f};
    std::array<std::uint8_t, 3> stored{};
    std::array<float, 3> back{};
    std::array<std::int16_t, 3> wide{};
    const statiq::affine numbers{.scale = 0.5f, .zero_point = 10};
    reference::quantize(
        reference::quantize_arguments<std::uint8_t>{.input = input.data(),
                                                    .size = 3,
                                                    .numbers = numbers,
                                                    .format = statiq::quantized<6, statiq::asymmetric>::format,
                                                    .output = stored.data()});
    reference::dequantize(reference::dequantize_arguments<std::uint8_t>{
        .input = stored.data(), .size = 3, .numbers = numbers, .output = back.data()});
    using scheme = statiq::float_multiplier;
    reference::requantize(
        reference::requantize_arguments<std::uint8_t, std::int16_t, scheme>{.input = stored.data(),
                                                                            .size = 3,
                                                                            .input_zero_point = 10,
                                                                            .factor = scheme::prepare(100.0),
                                                                            .output_zero_point = -1,
                                                                            .output = wide.data()});
    reference::clamp(
        reference::clamp_arguments<float>{.input = back.data(), .size = 3, .highest = 6, .output = back.data()});
    return stored == std::array<std::uint8_t, 3>{8, 12, 63} && back == std::array<float, 3>{-1, 1, 6} &&
           wide == std::array<std::int16_t, 3>{-201, 199, 5299};
}
static_assert(convert_at_compile_time());

} // namespace
