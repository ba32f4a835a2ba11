// SPDX-License-Identifier: Apache-2.0
#include <statiq/numeric/math.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace math = statiq::math;

static_assert(math::frexp(8.0).mantissa == 0.5 && math::frexp(8.0).exponent == 4);
static_assert(math::floor(-0.25) == -1 && math::floor(2.75) == 2 && math::floor(-3.0) == -3);
static_assert(math::power_of_two(-3) == 0.125 && math::power_of_two(20) == 1048576.0);
static_assert(math::saturate<std::int32_t>(std::int64_t{1} << 40) == std::numeric_limits<std::int32_t>::max());
static_assert(math::saturate<std::uint8_t>(-1) == 0 && math::saturate<std::int8_t>(-7) == -7);

namespace {
/// Doubles of every magnitude, sign and class.
double any_double(std::mt19937_64& random) {
    for (;;) {
        const double x = std::bit_cast<double>(random());
        if (std::isfinite(x)) return x;
    }
}
} // namespace

TEST_CASE("frexp and power_of_two agree with the standard library on doubles of every magnitude") {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20000; ++i) {
        double x = any_double(random);
        if (i % 8 == 0) x *= std::numeric_limits<double>::denorm_min() * 1e10; // subnormals and zeros
        int exponent = 0;
        const double mantissa = std::frexp(x, &exponent);
        const auto ours = math::frexp(x);
        REQUIRE(ours.mantissa == mantissa);
        REQUIRE(ours.exponent == exponent);
    }
    const double least = std::numeric_limits<double>::denorm_min();
    CHECK(math::frexp(least).mantissa == 0.5);
    CHECK(math::frexp(least).exponent == -1073);
    CHECK(math::frexp(-0.0).exponent == 0);
    for (int e = -1022; e <= 1023; ++e) REQUIRE(math::power_of_two(e) == std::ldexp(1.0, e));
}

TEST_CASE("split is exact, and floor agrees with the standard library") {
    std::mt19937_64 random(2);
    std::uniform_real_distribution<double> exponent(-60, 62);
    for (int i = 0; i < 20000; ++i) {
        const double x = (i % 2 ? 1 : -1) * std::exp2(exponent(random));
        const auto [whole, fraction] = math::split(x);
        double expected_whole = 0;
        REQUIRE(fraction == std::modf(x, &expected_whole));
        REQUIRE(static_cast<double>(whole) == expected_whole);
        REQUIRE(math::floor(x) == static_cast<std::int64_t>(std::floor(x)));
    }
}

TEST_CASE("NaN, infinities and values beyond the integers") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double inf = std::numeric_limits<double>::infinity();
    CHECK(math::is_nan(nan));
    CHECK_FALSE(math::is_nan(inf));
    CHECK_FALSE(math::is_finite(nan));
    CHECK_FALSE(math::is_finite(-inf));
    CHECK(math::is_finite(std::numeric_limits<double>::lowest()));
    CHECK(math::floor(nan) == 0);
    CHECK(math::floor(inf) == std::numeric_limits<std::int64_t>::max());
    CHECK(math::floor(-1e300) == std::numeric_limits<std::int64_t>::min());
    CHECK(math::floor(-0x1p63) == std::numeric_limits<std::int64_t>::min());
    CHECK(math::absolute(-2.5F) == 2.5F);
}
