// SPDX-License-Identifier: Apache-2.0
#include <statiq/numeric/requantize.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

using namespace statiq;

namespace {

static_assert(requantization_scheme<gemmlowp> && requantization_scheme<single_rounding> &&
              requantization_scheme<float_multiplier> && !requantization_scheme<half_away>);
static_assert(gemmlowp::apply(1000, gemmlowp::prepare(0.25)) == 250);
static_assert(single_rounding::apply(1000, single_rounding::prepare(0.25)) == 250);
static_assert(float_multiplier::apply(10, float_multiplier::prepare(0.25)) == 2); // 2.5, half to even
static_assert(float_multiplier::apply(2000000000, 100.0F) == 2147483647);
static_assert(float_multiplier::align(-255, float_multiplier::prepare_align(0.5, 20), 20) == -(255 << 19));
static_assert(gemmlowp::align(255, gemmlowp::prepare_align(0.5, 20), 20) == 255 << 19);
static_assert(gemmlowp::prepare_mean(1.0, 4) == fixed_point{1 << 30, -1});
static_assert(add_left_shift(8) == 20 && add_left_shift(4) == 20 && add_left_shift(9) == 19 &&
              add_left_shift(16) == 12);
static_assert(requantize<gemmlowp>(1000, gemmlowp::prepare(0.25), -128, -128, 127) == 122);
static_assert(requantize<float_multiplier>(2147483647, 1.0F, 100, -128, 127) == 127);

/// What a scheme adds to half a unit of distance from acc * M, in units of the result.
double slack(gemmlowp, double product, double real) {
    // The fixed point M is off by at most 2^-31 of itself; a right shift rounds a second time, at 2^-right of a unit.
    const int right = std::max(0, -quantize_multiplier(real).shift);
    return std::abs(product) * 0x1p-31 + (right > 0 ? std::ldexp(0.5, -right) : 0);
}
double slack(single_rounding, double product, double) { return std::abs(product) * 0x1p-31; }
double slack(float_multiplier, double product, double) {
    // Accumulator, M and product each rounded to 24 bits; the factor covers the products of the three errors.
    return std::abs(product) * 3 * 0x1p-24 * (1 + 0x1p-22);
}

/// The two steps as TensorFlow Lite's documentation states them, with its truncating division.
std::int32_t reference_double_rounding(std::int32_t x, std::int32_t multiplier, int shift) {
    const std::int64_t product = (std::int64_t{x} << std::max(shift, 0)) * multiplier;
    const std::int64_t nudge = product >= 0 ? std::int64_t{1} << 30 : 1 - (std::int64_t{1} << 30);
    const std::int64_t high = (product + nudge) / (std::int64_t{1} << 31);
    const double quotient = std::ldexp(static_cast<double>(high), std::min(shift, 0)); // exact: 32 bits
    return static_cast<std::int32_t>(std::round(quotient));
}

double random_multiplier(std::mt19937& random, double low, double high) {
    return std::exp2(std::uniform_real_distribution<double>(low, high)(random));
}

std::int32_t random_accumulator(std::mt19937& random) { return static_cast<std::int32_t>(random()) >> (random() % 31); }

} // namespace

TEST_CASE_TEMPLATE("apply is within half a unit and the scheme's slack of acc * M", Scheme, gemmlowp, single_rounding,
                   float_multiplier) {
    std::mt19937 random(41);
    int compared = 0;
    for (int i = 0; i < 300000; ++i) {
        const double real = i % 8 == 0 ? std::exp2(-static_cast<double>(i % 24)) // powers of two: ties
                                       : random_multiplier(random, -28, 6);
        const std::int32_t acc = random_accumulator(random);
        const double product = static_cast<double>(acc) * real;
        if (std::abs(product) > 0x1p30) continue;
        const auto factor = Scheme::prepare(real);
        const std::int32_t result = Scheme::apply(acc, factor);
        const double error = std::abs(std::fma(static_cast<double>(acc), real, -static_cast<double>(result)));
        REQUIRE(error <= 0.5 + slack(Scheme{}, product, real));
        ++compared;
    }
    CHECK(compared > 200000);
}

TEST_CASE_TEMPLATE("apply is monotone in the accumulator and maps zero to zero", Scheme, gemmlowp, single_rounding,
                   float_multiplier) {
    std::mt19937 random(42);
    for (int i = 0; i < 100000; ++i) {
        const auto factor = Scheme::prepare(random_multiplier(random, -31, 29.5));
        const std::int32_t a = random_accumulator(random);
        const std::int32_t b = random_accumulator(random);
        REQUIRE(Scheme::apply(std::min(a, b), factor) <= Scheme::apply(std::max(a, b), factor));
        REQUIRE(Scheme::apply(0, factor) == 0);
    }
}

TEST_CASE_TEMPLATE("multipliers out of range flush to zero or saturate", Scheme, gemmlowp, single_rounding,
                   float_multiplier) {
    const std::int32_t most = std::numeric_limits<std::int32_t>::max();
    CHECK(Scheme::apply(most, Scheme::prepare(0.0)) == 0);
    CHECK(Scheme::apply(most, Scheme::prepare(0x1p-40)) == 0);
    for (const double huge : {0x1p30, 0x1p33, 1e30}) {
        CHECK(Scheme::apply(1000, Scheme::prepare(huge)) > 1 << 29);
        CHECK(Scheme::apply(-1000, Scheme::prepare(huge)) < -(1 << 29));
        CHECK(requantize<Scheme>(1000, Scheme::prepare(huge), 3, -128, 127) == 127);
        CHECK(requantize<Scheme>(-1000, Scheme::prepare(huge), 3, -128, 127) == -128);
    }
}

TEST_CASE("fixed point multipliers are exact up to the last one below 2^30") {
    // 2^30 - 1 is (2^31 - 2) 2^(30 - 31).
    const fixed_point last{2147483646, 30};
    CHECK(gemmlowp::prepare(0x1p30 - 1) == last);
    CHECK(single_rounding::prepare(0x1p30 - 1) == last);
    CHECK(gemmlowp::apply(1, last) == 1073741823);
    CHECK(single_rounding::apply(-1, last) == -1073741823);
    // 3 2^28, which 29 bits do not hold, is 3/4 2^31 2^(30 - 31).
    CHECK(gemmlowp::prepare(0x3p28) == fixed_point{3 << 29, 30});
    CHECK(single_rounding::prepare(0x3p28) == fixed_point{3 << 29, 30});
    CHECK(gemmlowp::apply(1, gemmlowp::prepare(0x3p28)) == 805306368);
    CHECK(single_rounding::apply(-2, single_rounding::prepare(0x3p28)) == -1610612736);
}

TEST_CASE_TEMPLATE("every multiplier is bounded: zero stays zero, anything else saturates 16 bits", Scheme, gemmlowp,
                   single_rounding, float_multiplier) {
    const double largest = static_cast<double>(std::numeric_limits<float>::max());
    const double least = static_cast<double>(std::numeric_limits<float>::denorm_min());
    // 3e38 / 1e-45, the scales of the one and the other end of float, and infinity.
    for (const double real : {largest_multiplier, largest, largest / least, largest * largest / least,
                              std::numeric_limits<double>::infinity()}) {
        for (const auto factor : {Scheme::prepare(real), Scheme::prepare_mean(real * 0x1p32, std::int64_t{1} << 32)}) {
            CHECK(factor == Scheme::prepare(largest_multiplier));
            CHECK(Scheme::apply(0, factor) == 0);
            for (const std::int32_t acc : {1, 2, 1000, std::numeric_limits<std::int32_t>::max()}) {
                CHECK(requantize<Scheme>(acc, factor, -32768, -32768, 32767) == 32767);
                CHECK(requantize<Scheme>(-acc, factor, 32767, -32768, 32767) == -32768);
            }
            CHECK(requantize<Scheme>(std::numeric_limits<std::int32_t>::min(), factor, 0, -128, 127) == -128);
        }
    }
    for (const double real : {0.0, least * least, least / largest, least}) {
        CHECK(Scheme::apply(std::numeric_limits<std::int32_t>::min(), Scheme::prepare(real)) == 0);
        CHECK(Scheme::apply(std::numeric_limits<std::int32_t>::max(), Scheme::prepare_mean(real, 49)) == 0);
    }
    // A mean's ratio may be large where its quotient is not: 2^40 / 2^20.
    CHECK(Scheme::apply(3, Scheme::prepare_mean(0x1p40, 1 << 20)) == 3 << 20);
}

TEST_CASE("gemmlowp is TensorFlow Lite's pair of roundings") {
    std::mt19937 random(43);
    for (int i = 0; i < 300000; ++i) {
        const double real = random_multiplier(random, -31.5, 3);
        const fixed_point f = gemmlowp::prepare(real);
        int exponent = 0;
        const double mantissa = std::frexp(real, &exponent);
        REQUIRE(std::ldexp(static_cast<double>(f.multiplier), f.shift) ==
                std::ldexp(std::round(mantissa * 0x1p31), exponent));
        const std::int32_t acc = random_accumulator(random) >> 4;
        REQUIRE(gemmlowp::apply(acc, f) == reference_double_rounding(acc, f.multiplier, f.shift));
    }
}

TEST_CASE("double and single rounding differ by at most one, and do differ") {
    std::mt19937 random(44);
    int different = 0;
    for (int i = 0; i < 100000; ++i) {
        const fixed_point f = gemmlowp::prepare(random_multiplier(random, -12, -3));
        const auto acc = static_cast<std::int32_t>(random() % 400001) - 200000;
        const int distance = std::abs(gemmlowp::apply(acc, f) - single_rounding::apply(acc, f));
        REQUIRE(distance <= 1);
        different += distance;
    }
    CHECK(different > 0);
}

TEST_CASE("float_multiplier is IEEE arithmetic, rounded half to even") {
    std::mt19937 random(45);
    for (int i = 0; i < 200000; ++i) {
        const auto factor = float_multiplier::prepare(random_multiplier(random, -24, 0));
        const std::int32_t acc = random_accumulator(random);
        const float product = static_cast<float>(acc) * factor;
        REQUIRE(static_cast<float>(float_multiplier::apply(acc, factor)) == std::rint(product));
    }
}

TEST_CASE_TEMPLATE("requantize adds the zero point and clamps, without overflow", Scheme, gemmlowp, single_rounding,
                   float_multiplier) {
    std::mt19937 random(46);
    for (int i = 0; i < 100000; ++i) {
        const auto factor = Scheme::prepare(random_multiplier(random, -20, 10));
        const std::int32_t acc = random_accumulator(random);
        const auto zero_point = static_cast<std::int32_t>(random() % 65536) - 32768;
        const std::int64_t sum = std::int64_t{Scheme::apply(acc, factor)} + zero_point;
        REQUIRE(requantize<Scheme>(acc, factor, zero_point, -32768, 32767) ==
                std::clamp<std::int64_t>(sum, -32768, 32767));
    }
}

TEST_CASE_TEMPLATE("align is q * ratio * 2^left, and eight aligned inputs fit int32", Scheme, gemmlowp, single_rounding,
                   float_multiplier) {
    std::mt19937 random(47);
    for (int bits = 2; bits <= 16; ++bits) {
        const int left = add_left_shift(bits);
        const std::int32_t widest = (1 << bits) - 1; // |q - z| for any two integers of the format
        const auto half = Scheme::prepare_align(0.5, left);
        for (const std::int32_t q : {-widest, widest}) {
            const std::int64_t aligned = Scheme::align(q, half, left);
            REQUIRE(std::abs(8 * aligned) <= std::int64_t{1} << 30);
            REQUIRE(aligned == std::int64_t{q} * (1 << (left - 1))); // ratio 1/2 is exact in every scheme
        }
        for (int i = 0; i < 3000; ++i) {
            const double ratio = random_multiplier(random, -8, -1);
            const auto q = static_cast<std::int32_t>(random() % (2 * static_cast<unsigned>(widest) + 1)) - widest;
            const auto factor = Scheme::prepare_align(ratio, left);
            const double exact = std::ldexp(q * ratio, left);
            const double error = std::abs(Scheme::align(q, factor, left) - exact);
            if constexpr (std::is_same_v<Scheme, float_multiplier>) {
                REQUIRE(error <= 0.5 * std::abs(q)); // the factor is an integer; the product is exact
                REQUIRE(factor == std::rint(factor));
            } else {
                REQUIRE(error <= 0.5 + slack(Scheme{}, exact, ratio));
            }
        }
    }
}

TEST_CASE_TEMPLATE("a mean's factor divides by the count", Scheme, gemmlowp, single_rounding, float_multiplier) {
    std::mt19937 random(48);
    for (int i = 0; i < 100000; ++i) {
        const auto count = static_cast<std::int64_t>(random() % 5000) + 1;
        const double ratio = random_multiplier(random, -6, 4);
        const auto factor = Scheme::prepare_mean(ratio, count);
        const auto sum = static_cast<std::int32_t>(static_cast<std::int64_t>(random() % 511 - 255) * count / 2);
        const double exact = sum * (ratio / static_cast<double>(count));
        const double error = std::abs(Scheme::apply(sum, factor) - exact);
        // gemmlowp truncates the divided multiplier, which is at least 2^29: 2^-29 of it; its second rounding happens
        // at 2^-right of a unit, at most half; the others are an ordinary requantization.
        double allowed = 0.5 + std::abs(exact) * 0x1p-28;
        if constexpr (std::is_same_v<Scheme, gemmlowp>) {
            allowed += factor.shift < 0 ? std::ldexp(0.5, factor.shift) : 0;
        }
        if constexpr (std::is_same_v<Scheme, float_multiplier>) {
            allowed = 0.5 + slack(Scheme{}, exact, 0) + std::abs(exact) * 0x1p-40;
        }
        REQUIRE(error <= allowed);
    }
}

TEST_CASE("gemmlowp's mean factor is the truncated quotient of the shifted multiplier") {
    std::mt19937 random(49);
    for (int i = 0; i < 100000; ++i) {
        const std::int64_t count = static_cast<std::int64_t>(random() >> (random() % 32)) + 1;
        const double ratio = random_multiplier(random, -31, 10);
        const fixed_point whole = quantize_multiplier(ratio);
        int left = 0; // floor(log2 count), limited
        while ((std::int64_t{2} << left) <= count) ++left;
        left = std::min({left, 32, 31 + whole.shift});
        const fixed_point mean = gemmlowp::prepare_mean(ratio, count);
        REQUIRE(mean.shift == whole.shift - left);
        REQUIRE(mean.shift >= -31);
        const std::int64_t numerator = std::int64_t{whole.multiplier} << left;
        REQUIRE(std::int64_t{mean.multiplier} * count <= numerator);
        REQUIRE((std::int64_t{mean.multiplier} + 1) * count > numerator);
    }
}
