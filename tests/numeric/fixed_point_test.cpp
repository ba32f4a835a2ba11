// SPDX-License-Identifier: Apache-2.0
#include <statiq/numeric/fixed_point.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

using namespace statiq;

namespace {

__extension__ typedef __int128 wide; // exact arithmetic for the definitions; the keyword keeps -Wpedantic quiet

constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();

static_assert(quantize_multiplier(0.5) == fixed_point{1 << 30, 0});
static_assert(quantize_multiplier(1.0) == fixed_point{1 << 30, 1});
static_assert(quantize_multiplier(0.0) == fixed_point{});
static_assert(quantize_multiplier(1.0 - 0x1p-40) == fixed_point{1 << 30, 1}); // the mantissa rounds up to 2^31
static_assert(quantize_multiplier(0x1p-32) == fixed_point{1 << 30, -31});
static_assert(quantize_multiplier(0x1p-33) == fixed_point{});
static_assert(saturating_rounding_doubling_high_multiply(least, least) == most);
static_assert(saturating_rounding_doubling_high_multiply(1 << 30, 3) == 2);   // 1.5, ties up
static_assert(saturating_rounding_doubling_high_multiply(1 << 30, -3) == -1); // -1.5, ties up
static_assert(rounding_divide_by_power_of_two(-12, 3) == -2);                 // -1.5, ties away from zero
static_assert(multiply_by_quantized_multiplier(1000, quantize_multiplier(0.25)) == 250);
static_assert(multiply_by_quantized_multiplier<rounding_steps::one>(-6, quantize_multiplier(0.25)) == -1);
static_assert(multiply_by_quantized_multiplier<rounding_steps::two>(-6, quantize_multiplier(0.25)) == -2);

wide power(int n) { return wide{1} << n; }
wide magnitude(wide x) { return x < 0 ? -x : x; }

/// Integers of every magnitude, the extremes and their neighbours among them.
std::int32_t any_int(std::mt19937& random) {
    const auto x = static_cast<std::int32_t>(random()) >> (random() % 32);
    switch (random() % 16) {
    case 0:
        return least + static_cast<std::int32_t>(random() % 3);
    case 1:
        return most - static_cast<std::int32_t>(random() % 3);
    case 2:
        return static_cast<std::int32_t>(random() % 5) - 2;
    default:
        return x;
    }
}

std::int32_t any_multiplier(std::mt19937& random) {
    return static_cast<std::int32_t>((1U << 30) + random() % (1U << 30));
}

} // namespace

TEST_CASE("quantize_multiplier is the nearest fixed point number") {
    std::mt19937_64 random(31);
    std::uniform_real_distribution<double> exponent(-31.9, 29.9);
    for (int i = 0; i < 100000; ++i) {
        const double real = std::exp2(exponent(random));
        const fixed_point f = quantize_multiplier(real);
        REQUIRE(f.multiplier >= 1 << 30);
        // Both terms are exact doubles, and so is their difference.
        const double exact = std::ldexp(real, 31 - f.shift);
        REQUIRE(std::abs(static_cast<double>(f.multiplier) - exact) <= 0.5);
    }
    for (int shift = -31; shift <= 30; ++shift) { // ties: half a unit above an integer goes away from zero
        const double tie = std::ldexp((1 << 30) + 12.5, shift - 31);
        CHECK(quantize_multiplier(tie) == fixed_point{(1 << 30) + 13, shift});
    }
}

TEST_CASE("the doubling high multiply is round(a b / 2^31), ties up, and one saturating case") {
    std::mt19937 random(32);
    for (int i = 0; i < 300000; ++i) {
        const std::int32_t a = any_int(random);
        std::int32_t b = any_int(random);
        if (i % 4 == 0) b = 1 << 30; // a / 2: every odd a is a tie
        const wide product = wide{a} * b;
        const wide result = saturating_rounding_doubling_high_multiply(a, b);
        if (a == least && b == least) {
            REQUIRE(result == most);
            continue;
        }
        const wide error = result * power(31) - product; // in (-2^30, 2^30]: a tie has gone up
        REQUIRE(error > -power(30));
        REQUIRE(error <= power(30));
    }
}

TEST_CASE("the rounding divide is round(x / 2^e), ties away from zero") {
    std::mt19937 random(33);
    for (int i = 0; i < 300000; ++i) {
        const int e = static_cast<int>(random() % 32);
        std::int32_t x = any_int(random);
        if (e > 0 && i % 4 == 0) { // a tie
            x = static_cast<std::int32_t>(((std::int64_t{x} >> e) << e) + (std::int64_t{1} << (e - 1)));
        }
        const std::int32_t result = rounding_divide_by_power_of_two(x, e);
        const wide error = wide{result} * power(e) - x;
        REQUIRE(2 * magnitude(error) <= power(e));
        if (e > 0 && 2 * magnitude(error) == power(e)) REQUIRE(magnitude(wide{result} * power(e)) > magnitude(x));
        REQUIRE(result == shift_right<half_away>(x, e));
    }
}

TEST_CASE("a saturating shift is exact where the result fits and keeps sign and order elsewhere") {
    std::mt19937 random(34);
    for (int i = 0; i < 100000; ++i) {
        const int n = static_cast<int>(random() % 31);
        const std::int32_t x = any_int(random);
        const wide exact = wide{x} * power(n);
        const wide result = saturating_shift_left(x, n);
        if (exact >= least && exact <= most) {
            REQUIRE(result == exact);
        } else {
            REQUIRE((x > 0 ? result > most - power(n) : result == least));
            REQUIRE(result <= most);
        }
    }
}

TEST_CASE("two roundings: each is exact, and their sum bounds the distance from the real product") {
    std::mt19937 random(35);
    for (int i = 0; i < 300000; ++i) {
        const fixed_point f{any_multiplier(random), static_cast<std::int32_t>(random() % 62) - 31};
        const std::int32_t x = any_int(random);
        const wide shifted = wide{x} * power(f.shift > 0 ? f.shift : 0);
        if (shifted < least || shifted > most) continue;
        const int right = f.shift < 0 ? -f.shift : 0;
        const wide result = multiply_by_quantized_multiplier(x, f);
        // In units of 2^-31 of the high half: half a unit of the result and half a unit of the high half.
        const wide error = result * power(31 + right) - shifted * f.multiplier;
        REQUIRE(magnitude(error) <= (right > 0 ? power(30 + right) + power(30) : power(30)));
        // The definition: high half with ties up, then the shift with ties away from zero.
        const wide high = (shifted * f.multiplier + power(30)) >> 31;
        const wide half = right > 0 ? power(right - 1) : 0;
        const wide away = high >= 0 ? (high + half) >> right : -((-high + half) >> right);
        REQUIRE(result == away);
    }
}

TEST_CASE("one rounding: the nearest integer to the real product, ties up, saturated") {
    std::mt19937 random(36);
    for (int i = 0; i < 300000; ++i) {
        fixed_point f{any_multiplier(random), static_cast<std::int32_t>(random() % 62) - 31};
        if (i % 4 == 0) f = {1 << 30, f.shift % 8}; // powers of two: ties
        const std::int32_t x = any_int(random);
        const wide unit = power(31 - f.shift);
        const wide product = wide{x} * f.multiplier;
        const wide result = multiply_by_quantized_multiplier<rounding_steps::one>(x, f);
        if (2 * product >= (2 * wide{most} + 1) * unit) {
            REQUIRE(result == most);
        } else if (2 * product < (2 * wide{least} - 1) * unit) {
            REQUIRE(result == least);
        } else {
            const wide error = 2 * (result * unit - product);
            REQUIRE(error > -unit);
            REQUIRE(error <= unit);
        }
    }
}

TEST_CASE("beyond the reference's domain the result stays large instead of changing sign") {
    const fixed_point f = quantize_multiplier(60.0);
    CHECK(multiply_by_quantized_multiplier(most, f) > 1 << 29);
    CHECK(multiply_by_quantized_multiplier(least, f) < -(1 << 29));
    const fixed_point largest{most, 30};
    CHECK(multiply_by_quantized_multiplier(2, largest) > 1 << 29);
    CHECK(multiply_by_quantized_multiplier<rounding_steps::one>(-3, largest) < -(1 << 29));
}
