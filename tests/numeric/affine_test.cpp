// SPDX-License-Identifier: Apache-2.0
#include <statiq/numeric/affine.hpp>

#include <doctest/doctest.h>

#include "formats.hpp"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>

using namespace statiq;

namespace {

using uint8_activation = quantized<8, asymmetric>;
using int8_activation = quantized<8, asymmetric_signed>;
using int8_weight = quantized<8, symmetric>;

constexpr float infinity = std::numeric_limits<float>::infinity();

// The library quantizes in constant expressions.
static_assert(relaxed({2.1F, 3.5F}) == range{0.0F, 3.5F});
static_assert(choose_affine(uint8_activation::format, {2.1F, 3.5F}) == affine{3.5F / 255, 0});
static_assert(choose_affine(uint8_activation::format, {-3.5F, -2.1F}) == affine{3.5F / 255, 255});
static_assert(choose_affine(int8_activation::format, {-1.0F, 1.0F}).scale == 2.0F / 255);
static_assert(choose_affine(int8_weight::format, {-0.5F, 0.25F}) == affine{0.5F / 127, 0});
static_assert(choose_affine(quantized<8, symmetric_unsigned>::format, {-5.0F, 1.0F}) == affine{1.0F / 255, 0});
static_assert(choose_affine(int8_activation::format, {0, 0}) == affine{1.0F, 0});
// The quotient -min / scale is rounded to float first, as in TensorFlow Lite's converter. 6 / 255 is 0.0235294117...;
// the nearest float, 0.02352941222, is greater, so that 1 by it is 42.49999917. Floats are 2^-18 = 3.8e-6 apart there:
// the nearest one is 42.5, which is rounded to 43. In double it would be 42.
static_assert(choose_affine(uint8_activation::format, {-1.0F, 5.0F}) == affine{0.02352941222488880157470703125F, 43});
// Likewise 1 by (1 + 9) / 255 = 0.03921568766 (as a float) is 25.49999910, in float 25.5 (2^-19 apart).
static_assert(quantize(0.75F, {0.5F, 3}, uint8_activation::format) == 5);            // 1.5 -> 2, away from zero
static_assert(quantize<half_even>(1.25F, {0.5F, 3}, uint8_activation::format) == 5); // 2.5 -> 2, to even
static_assert(quantize<int8_weight>(-100.0F, {0.5F, 0}) == -127);
static_assert(quantize(infinity, {0.5F, 3}, uint8_activation::format) == 255);
static_assert(quantize(-infinity, {0.5F, 3}, uint8_activation::format) == 0);
static_assert(quantize(std::numeric_limits<float>::quiet_NaN(), {0.5F, 3}, uint8_activation::format) == 3);
static_assert(dequantize(5, {0.5F, 3}) == 1.0F);
static_assert(fake_quantize(0.8F, {0.5F, 3}, uint8_activation::format) == 1.0F);
static_assert(quantize_bias(1.5, 1.0) == 2 && quantize_bias(-1e30, 1.0) == -2147483647);
static_assert(std::is_same_v<decltype(quantize<uint8_activation>(1.0F, {})), std::uint8_t>);
static_assert(quantize<float32>(1.25F, {}) == 1.25F);

/// A range of random width and position, one-sided in half of the cases; tiny to large.
range random_range(std::mt19937& random) {
    std::uniform_real_distribution<float> magnitude(-6, 4);
    std::uniform_real_distribution<float> unit(-1, 1);
    const float size = std::pow(10.0F, magnitude(random));
    const float a = unit(random) * size;
    const float b = unit(random) * size;
    return {std::min(a, b), std::max(a, b)};
}

/// Unsigned formats without a zero point only cover what is not negative.
range covered(const number_format& format, range r) {
    const range wide = relaxed(r);
    return !format.has_zero_point && !format.is_signed() ? range{0, wide.max} : wide;
}

} // namespace

TEST_CASE("zero is exact and its integer is stored in every format") {
    std::mt19937 random(21);
    for (const number_format& format : formats::all()) {
        for (int i = 0; i < 200; ++i) {
            const affine a = choose_affine(format, random_range(random));
            REQUIRE(a.scale > 0);
            REQUIRE(a.zero_point >= format.lowest);
            REQUIRE(a.zero_point <= format.highest);
            if (!format.has_zero_point) REQUIRE(a.zero_point == 0);
            REQUIRE(quantize(0.0F, a, format) == a.zero_point);
            REQUIRE(fake_quantize(0.0F, a, format) == 0.0F);
        }
    }
}

TEST_CASE("inside the range the error is at most half a step") {
    std::mt19937 random(22);
    for (const number_format& format : formats::all()) {
        for (int i = 0; i < 40; ++i) {
            const range r = covered(format, random_range(random));
            const affine a = choose_affine(format, r);
            const double scale = a.scale;
            const range ends = representable(a, format);
            std::uniform_real_distribution<float> uniform(r.min, r.max);
            for (int j = 0; j < 200; ++j) {
                const float x = j == 0 ? r.min : (j == 1 ? r.max : uniform(random));
                const float y = fake_quantize(x, a, format);
                const double error = std::abs(static_cast<double>(x) - static_cast<double>(y));
                // In steps: 1/2, and the float roundings. x / scale and scale * q are off by 2^-24 of themselves; the
                // scale by up to 2^-23 of itself (one subtraction, one division), which moves the far end of the range
                // by that part of all steps; the zero point by 2^-24 of two numbers of at most all steps.
                const double steps = static_cast<double>(format.highest) - format.lowest;
                const bool inside = x >= ends.min && x <= ends.max;
                const double slack = inside ? (std::abs(x) + std::abs(y)) / scale * 0x1p-24 : steps * 6 * 0x1p-24;
                CAPTURE(format.bits);
                CAPTURE(x);
                REQUIRE(error <= scale * (0.5 + slack));
            }
        }
    }
}

TEST_CASE("outside the representable range values saturate, for any rule") {
    std::mt19937 random(23);
    for (const number_format& format : formats::all()) {
        for (int i = 0; i < 50; ++i) {
            const affine a = choose_affine(format, random_range(random));
            const range ends = representable(a, format);
            stochastic dither(static_cast<std::uint64_t>(i));
            for (const float beyond : {a.scale, 1e3F * a.scale, 1e30F, infinity}) {
                REQUIRE(quantize(ends.max + beyond, a, format) == format.highest);
                REQUIRE(quantize(ends.min - beyond, a, format) == format.lowest);
                REQUIRE(quantize<half_even>(ends.max + beyond, a, format) == format.highest);
                REQUIRE(quantize(ends.min - 2 * beyond, a, format, dither) == format.lowest);
            }
            REQUIRE(quantize(std::numeric_limits<float>::quiet_NaN(), a, format) == a.zero_point);
        }
    }
}

TEST_CASE("quantize is monotone and undoes dequantize on every integer, so fake_quantize is idempotent") {
    std::mt19937 random(24);
    for (const number_format& format : formats::all()) {
        const affine a = choose_affine(format, random_range(random));
        float previous = -infinity;
        for (std::int32_t q = format.lowest; q <= format.highest; ++q) {
            const float x = dequantize(q, a);
            REQUIRE(x > previous);
            REQUIRE(quantize(x, a, format) == q);
            REQUIRE(quantize<half_even>(x, a, format) == q);
            previous = x;
        }
        const range ends = representable(a, format);
        std::uniform_real_distribution<float> uniform(ends.min - 2 * a.scale, ends.max + 2 * a.scale);
        for (int i = 0; i < 300; ++i) {
            float x = uniform(random);
            float y = uniform(random);
            if (x > y) std::swap(x, y);
            REQUIRE(quantize(x, a, format) <= quantize(y, a, format));
            const float once = fake_quantize(x, a, format);
            REQUIRE(fake_quantize(once, a, format) == once);
        }
    }
}

TEST_CASE("the chosen scale spends every step on the range") {
    std::mt19937 random(25);
    for (const number_format& format : formats::all()) {
        for (int i = 0; i < 100; ++i) {
            const range r = covered(format, random_range(random));
            const affine a = choose_affine(format, r);
            if (r == range{}) {
                REQUIRE(a.scale == 1.0F);
                continue;
            }
            const float extent =
                format.has_zero_point ? r.max - r.min : (format.is_signed() ? std::max(-r.min, r.max) : r.max);
            const auto steps =
                static_cast<float>(format.has_zero_point ? format.highest - format.lowest : format.highest);
            REQUIRE(a.scale == extent / steps);
            if (format.has_zero_point) {
                // An end of the range is an end of the integers to within half a step (and the float roundings).
                const range ends = representable(a, format);
                const double allowed = a.scale * (0.5 + static_cast<double>(steps) * 6 * 0x1p-24);
                REQUIRE(std::abs(static_cast<double>(ends.min) - static_cast<double>(r.min)) <= allowed);
                REQUIRE(std::abs(static_cast<double>(ends.max) - static_cast<double>(r.max)) <= allowed);
            }
        }
    }
}

TEST_CASE("degenerate ranges give a usable map") {
    for (const number_format& format : formats::all()) {
        for (const range r : {range{0, 0}, range{-0.0F, 0.0F}}) {
            const affine a = choose_affine(format, r);
            CHECK(a.scale == 1.0F);
            CHECK(quantize(0.0F, a, format) == a.zero_point);
        }
        const float least = std::numeric_limits<float>::denorm_min();
        const affine tiny = choose_affine(format, {-least, least});
        CHECK(tiny.scale == std::numeric_limits<float>::min());
        CHECK(fake_quantize(0.0F, tiny, format) == 0.0F);
    }
}

TEST_CASE("the rules differ where they should: on ties") {
    const number_format format = quantized<8, asymmetric_signed>::format;
    const affine a{0.25F, 1};
    for (int twice = -61; twice <= 61; twice += 2) { // x / scale = twice / 2, a tie
        const float x = 0.125F * static_cast<float>(twice);
        const int below = (twice - 1) / 2 - (twice < 0 && (twice - 1) % 2 != 0 ? 1 : 0);
        REQUIRE(2 * below + 1 == twice);
        CHECK(quantize(x, a, format) == (twice > 0 ? below + 1 : below) + 1);
        CHECK(quantize<half_even>(x, a, format) == (below % 2 == 0 ? below : below + 1) + 1);
        CHECK(quantize<half_up>(x, a, format) == below + 2);
        CHECK(quantize<toward_zero>(x, a, format) == (twice > 0 ? below : below + 1) + 1);
    }
}

TEST_CASE("quantize divides by the scale; multiplying by its reciprocal would round differently") {
    std::mt19937 random(28);
    const number_format format = quantized<8, asymmetric_signed>::format;
    std::uniform_real_distribution<float> scales(0.01F, 0.1F);
    int different = 0;
    for (int i = 0; i < 20000; ++i) {
        const affine a{scales(random), static_cast<std::int32_t>(random() % 256) - 128};
        const float x = (static_cast<float>(random() % 256) - 127.5F) * a.scale; // next to a tie
        const auto expected = [&a](float steps) {
            return std::clamp(static_cast<int>(std::round(steps)) + a.zero_point, -128, 127);
        };
        const volatile float quotient = x / a.scale;
        const volatile float reciprocal = 1 / a.scale;
        const volatile float product = x * reciprocal;
        REQUIRE(quantize(x, a, format) == expected(quotient));
        different += expected(quotient) != expected(product);
    }
    CHECK(different > 0);
}

TEST_CASE("stochastic quantization is a pass-through in expectation") {
    const number_format format = quantized<4, asymmetric_signed>::format;
    const affine a{0.5F, -2};
    stochastic rule(26);
    constexpr int draws = 100000;
    const double bound = 0.5 * std::sqrt(std::log(2 / 1e-9) / (2.0 * draws)); // Hoeffding, one step is 0.5
    for (const float x : {0.1F, -1.3F, 2.2F, 3.7F}) {
        double sum = 0;
        for (int i = 0; i < draws; ++i) sum += static_cast<double>(fake_quantize(x, a, format, rule));
        CAPTURE(x);
        CHECK(std::abs(sum / draws - static_cast<double>(x)) <= bound + 1e-6);
    }
}

TEST_CASE("a bias is rounded to its scale and saturates symmetrically") {
    std::mt19937 random(27);
    std::uniform_real_distribution<double> uniform(-1e5, 1e5);
    for (int i = 0; i < 1000; ++i) {
        const double b = uniform(random);
        const double scale = std::exp2(-static_cast<double>(i % 10));
        REQUIRE(std::abs(b - scale * quantize_bias(b, scale)) <= scale / 2);
    }
    CHECK(quantize_bias(infinity, 1e-3) == 2147483647);
    CHECK(quantize_bias(-infinity, 1e-3) == -2147483647);
    CHECK(quantize_bias(std::numeric_limits<double>::quiet_NaN(), 1e-3) == 0);
}
