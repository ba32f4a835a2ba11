// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/reference/softmax.hpp>
#include <statiq/kernels/reference/softmax_primitives.hpp>

#include <doctest/doctest.h>

#include "support.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace reference = statiq::kernels::reference;
using namespace kernel_test;

namespace {

/// How far exp_on_negative_values may be from e^a = `expected`. The polynomial around -1/8 leaves at most
/// |x|^5 / 5! of e^(-1/8), |x| <= 1/8, and the alternating series (x < 0) no more than that term: relative to
/// e^(-1/8 + x) at most e^(1/8) / (8^5 * 5!) < 2.9e-7 (for x > 0, where the rest adds 1 / (1 - 1/48), e^x >= 1
/// divides). Further, less than twenty roundings of at most 2^-31 each: five products and two shifts of the polynomial,
/// its constants, seven factors and their products.
double exponential_error(double expected) { return 2.9e-7 * expected + 20 * 0x1p-31; }

/// How far the reciprocal may be from the truth: the last Newton step rounds its two products to 2^-30 (times an
/// estimate of at most 2) and 2^-28, half of which reaches the result; (1/17)^8 and the rounded operands add less than
/// 2^-31.
constexpr double reciprocal_error = 0x1p-28;

template <class In, class Out>
std::vector<Out> softmax_of(const std::vector<In>& input, const statiq::extents& in, float scale, float beta = 1) {
    std::vector<Out> output(input.size());
    reference::softmax(reference::softmax_arguments<In, Out>{.input = input.data(),
                                                             .in = in,
                                                             .parameters = reference::prepare_softmax(scale, beta),
                                                             .output = output.data()});
    return output;
}

std::vector<double> real_softmax(std::vector<double> exponents) {
    const double highest = *std::max_element(exponents.begin(), exponents.end());
    for (double& x : exponents) x = std::exp(x - highest);
    const double sum = std::accumulate(exponents.begin(), exponents.end(), 0.0);
    for (double& x : exponents) x /= sum;
    return exponents;
}

template <class In, class Out>
void compare_softmax(std::mt19937& random) {
    for (int round = 0; round < 150; ++round) {
        const statiq::extents in{uniform(random, 1, 3), uniform(random, 1, 3), uniform(random, 1, 300)};
        const float scale = random_scale(random, 1e-5, 8);
        const float beta = uniform(random, 0, 1) == 0 ? 1.0f : random_scale(random, 0.25, 4);
        const std::vector<In> input = random_values<In>(random, in.size());
        const std::vector<Out> output = softmax_of<In, Out>(input, in, scale, beta);
        const auto channels = static_cast<std::size_t>(in.channels);
        for (std::size_t first = 0; first < input.size(); first += channels) {
            std::vector<double> exponents(channels);
            for (std::size_t c = 0; c < channels; ++c)
                exponents[c] = static_cast<double>(beta) * static_cast<double>(scale) * input[first + c];
            const std::vector<double> expected = real_softmax(exponents);
            // Each exponential: the function's error, its argument's (half a unit of Q5.26, 2^-31 of at most 31), or,
            // when it is left out, e^-30.
            const double each = exponential_error(1) + 0x1p-27 + 31 * 0x1p-31 + std::exp(-30.0);
            // Their sum, at least 1: also half a unit of Q12.19 each.
            const double sum = static_cast<double>(channels) * (each + 0x1p-20);
            for (std::size_t c = 0; c < channels; ++c) {
                const int steps = output[first + c] - lowest<Out>();
                const double error = each + expected[c] * sum / (1 - sum) + reciprocal_error + 0x1p-31;
                // 1 is beyond the last of the 256 steps.
                REQUIRE(std::abs(steps - std::min(256 * expected[c], 255.0)) <= 0.5 + 256 * error);
            }
        }
    }
}

} // namespace

TEST_CASE("the fixed point exponential is near e^x") {
    std::mt19937 random(51);
    const auto check = [](std::int32_t a) {
        const double expected = std::exp(a * 0x1p-26);
        REQUIRE(std::abs(reference::exp_on_negative_values(a) * 0x1p-31 - expected) <= exponential_error(expected));
    };
    check(0);
    check(-1);
    check(std::numeric_limits<std::int32_t>::min());
    for (int i = -40; i <= 0; ++i)
        for (int near = -2; near <= 2; ++near) {
            const std::int64_t a = std::int64_t{i} * (1 << 24) + near;
            if (a <= 0) check(static_cast<std::int32_t>(a));
        }
    for (int i = 0; i < 20000; ++i) check(uniform(random, std::numeric_limits<std::int32_t>::min(), 0));
}

TEST_CASE("the fixed point reciprocal is near 1 / x") {
    std::mt19937 random(52);
    const auto check = [](std::int32_t x, int digits) {
        const auto [value, shift] = reference::reciprocal(x, digits);
        const double real = std::ldexp(x, digits - 31);
        REQUIRE(value > (1 << 30) - 8);
        REQUIRE(std::abs(value * 0x1p-31 - std::ldexp(1 / real, shift)) <= reciprocal_error);
    };
    for (const int digits : {0, 5, 12, 31}) {
        for (int bit = 0; bit < 31; ++bit) check(std::int32_t{1} << bit, digits);
        check(std::numeric_limits<std::int32_t>::max(), digits);
        for (int i = 0; i < 5000; ++i)
            check(uniform(random, 1, std::numeric_limits<std::int32_t>::max() >> uniform(random, 0, 30)), digits);
    }
}

TEST_CASE("integer softmax is softmax, rounded") {
    std::mt19937 random(53);
    compare_softmax<std::int8_t, std::int8_t>(random);
    compare_softmax<std::int8_t, std::uint8_t>(random);
    compare_softmax<std::uint8_t, std::uint8_t>(random);
    compare_softmax<std::int16_t, std::int8_t>(random);
    compare_softmax<std::uint16_t, std::uint8_t>(random);
}

TEST_CASE("softmax ignores a common offset, follows a permutation, and keeps the order") {
    std::mt19937 random(54);
    for (int round = 0; round < 100; ++round) {
        const statiq::extents in{1, 1, uniform(random, 1, 60)};
        const float scale = random_scale(random, 1e-3, 1);
        std::vector<std::int8_t> input(in.size());
        for (auto& q : input) q = static_cast<std::int8_t>(uniform(random, -128, 100));
        const auto output = softmax_of<std::int8_t, std::int8_t>(input, in, scale);
        std::vector<std::int8_t> moved = input;
        for (auto& q : moved) q = static_cast<std::int8_t>(q + 27);
        REQUIRE(softmax_of<std::int8_t, std::int8_t>(moved, in, scale) == output);
        std::vector<std::size_t> order(input.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::shuffle(order.begin(), order.end(), random);
        for (std::size_t i = 0; i < order.size(); ++i) moved[i] = input[order[i]];
        const auto permuted = softmax_of<std::int8_t, std::int8_t>(moved, in, scale);
        for (std::size_t i = 0; i < order.size(); ++i) REQUIRE(permuted[i] == output[order[i]]);
        for (std::size_t i = 0; i < input.size(); ++i)
            for (std::size_t j = 0; j < input.size(); ++j)
                if (input[i] >= input[j]) REQUIRE(output[i] >= output[j]);
    }
}

TEST_CASE("signed and unsigned outputs differ by 128") {
    std::mt19937 random(55);
    const statiq::extents in{3, 3, 17};
    const auto input = random_values<std::uint8_t>(random, in.size());
    const auto u = softmax_of<std::uint8_t, std::uint8_t>(input, in, 0.03f);
    const auto s = softmax_of<std::uint8_t, std::int8_t>(input, in, 0.03f);
    for (std::size_t i = 0; i < u.size(); ++i) CHECK(u[i] == s[i] + 128);
}

TEST_CASE("many equal inputs: every share is 256 / n, rounded") {
    for (const int n : {1, 2, 255, 256, 257, 510, 513, 1000, 4095, 4096, 5000}) {
        const statiq::extents in{1, 1, n};
        const std::vector<std::int8_t> input(in.size(), std::int8_t{-7});
        const auto output = softmax_of<std::int8_t, std::uint8_t>(input, in, 0.1f);
        const auto expected = static_cast<std::uint8_t>(std::min(255.0, std::round(256.0 / n)));
        CHECK(output == std::vector<std::uint8_t>(in.size(), expected));
    }
}

TEST_CASE("scales beyond both ends") {
    // So large a scale that only the largest input counts; so small that all inputs are equal.
    const statiq::extents in{1, 1, 4};
    const std::vector<std::int16_t> input{-32768, 32766, 32767, 0};
    CHECK(softmax_of<std::int16_t, std::uint8_t>(input, in, 100.0f) == std::vector<std::uint8_t>{0, 0, 255, 0});
    for (const float scale : {1e-9f, 1e-12f, 1e-30f})
        CHECK(softmax_of<std::int16_t, std::uint8_t>(input, in, scale) == std::vector<std::uint8_t>{64, 64, 64, 64});
}

TEST_CASE("float softmax is softmax") {
    std::mt19937 random(56);
    for (int round = 0; round < 50; ++round) {
        const statiq::extents in{uniform(random, 1, 3), uniform(random, 1, 3), uniform(random, 1, 300)};
        const float beta = random_scale(random, 0.25, 4);
        std::vector<float> values = random_values<float>(random, in.size());
        const std::vector<float> input = values;
        reference::softmax(reference::float_softmax_arguments{
            .input = values.data(), .in = in, .beta = beta, .output = values.data()});
        const auto channels = static_cast<std::size_t>(in.channels);
        for (std::size_t first = 0; first < input.size(); first += channels) {
            std::vector<double> exponents(channels);
            for (std::size_t c = 0; c < channels; ++c)
                exponents[c] = static_cast<double>(beta) * static_cast<double>(input[first + c]);
            const std::vector<double> expected = real_softmax(exponents);
            // Exponents up to 80 rounded twice in float (relative 2^-24 each, 160 * 2^-24 in the exponential), the
            // exponential itself and the quotient once each, in numerator and sum alike.
            for (std::size_t c = 0; c < channels; ++c)
                REQUIRE(std::abs(static_cast<double>(values[first + c]) - expected[c]) <=
                        expected[c] * (2 * 161 + 4) * 0x1p-24 + 1e-37);
        }
    }
}

namespace {

static_assert(reference::exp_on_negative_values(0) == std::numeric_limits<std::int32_t>::max());
static_assert(reference::prepare_softmax(1.0f) ==
              reference::softmax_parameters{.multiplier = 1 << 30, .left_shift = 27, .lowest_difference = -15});

constexpr bool softmax_at_compile_time() {
    const std::array<std::int8_t, 6> input{9, 9, 9, 9, 100, -100};
    std::array<std::int8_t, 6> output{};
    reference::softmax(
        reference::softmax_arguments<std::int8_t, std::int8_t>{.input = input.data(),
                                                               .in = {3, 1, 2},
                                                               .parameters = reference::prepare_softmax(0.25f),
                                                               .output = output.data()});
    return output == std::array<std::int8_t, 6>{0, 0, 0, 0, 127, -128};
}
static_assert(softmax_at_compile_time());

} // namespace
