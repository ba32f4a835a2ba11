// SPDX-License-Identifier: Apache-2.0
#include <statiq/numeric/rounding.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace statiq;

static_assert(half_away{}(2.5) == 3 && half_away{}(-2.5) == -3 && half_away{}(-0.5) == -1);
static_assert(half_even{}(2.5) == 2 && half_even{}(3.5) == 4 && half_even{}(-2.5) == -2);
static_assert(half_up{}(2.5) == 3 && half_up{}(-2.5) == -2);
static_assert(toward_zero{}(2.9) == 2 && toward_zero{}(-2.9) == -2);
static_assert(shift_right<half_away>(-12, 3) == -2 && shift_right<half_up>(-12, 3) == -1);
static_assert(divide<half_even>(-6, 4) == -2 && divide<half_even>(-10, 4) == -2);
static_assert(stochastic{7}(3.0) == 3);
static_assert(deterministic_rounding<half_away> && deterministic_rounding<half_even> &&
              deterministic_rounding<half_up> && deterministic_rounding<toward_zero>);
static_assert(!deterministic_rounding<stochastic>);
static_assert(rounding_rule<half_even> && rounding_rule<stochastic> && rounding_rule<stochastic&> &&
              !rounding_rule<const stochastic> && !rounding_rule<int>);

namespace {

/// Each rule's definition, with <cmath>'s exact functions. std::rint is half to even in the default mode.
struct definition {
    static double of(half_away, double x) { return std::round(x); }
    static double of(half_even, double x) { return std::rint(x); }
    static double of(half_up, double x) {
        const double floor = std::floor(x);
        return x - floor >= 0.5 ? floor + 1 : floor; // x - floor is exact for the values used here
    }
    static double of(toward_zero, double x) { return std::trunc(x); }
};

/// x / d by the rules' definitions in integers alone: the candidate nearest to x / d, ties by the rule.
template <class Rule>
std::int64_t exact_quotient(std::int64_t x, std::int64_t d) {
    const std::int64_t truncated = x / d;
    const std::int64_t rest = x % d; // same sign as x
    if (rest == 0) return truncated;
    const std::int64_t away = truncated + (x > 0 ? 1 : -1);
    if constexpr (std::is_same_v<Rule, toward_zero>) return truncated;
    const std::int64_t twice = 2 * (rest < 0 ? -rest : rest);
    if (twice != d) return twice < d ? truncated : away;
    if constexpr (std::is_same_v<Rule, half_away>) return away;
    if constexpr (std::is_same_v<Rule, half_even>) return truncated % 2 == 0 ? truncated : away;
    return truncated > away ? truncated : away; // half_up
}

} // namespace

TEST_CASE_TEMPLATE("a rule agrees with its definition on ties and random values", Rule, half_away, half_even, half_up,
                   toward_zero) {
    constexpr Rule rule{};
    for (int n = -1000; n <= 1000; ++n) {
        for (const double x : {n * 0.5, n * 0.25, n * 0.125}) { // every multiple of 1/8: ties, quarters, integers
            REQUIRE(static_cast<double>(rule(x)) == definition::of(rule, x));
        }
    }
    std::mt19937_64 random(11);
    std::uniform_real_distribution<double> uniform(-1e6, 1e6);
    for (int i = 0; i < 100000; ++i) {
        const double x = static_cast<float>(uniform(random)); // 24 bits: x - floor(x) is exact in the definitions
        REQUIRE(static_cast<double>(rule(x)) == definition::of(rule, x));
    }
}

TEST_CASE_TEMPLATE("the neighbours of a tie are no ties", Rule, half_away, half_even, half_up) {
    constexpr Rule rule{};
    for (const double tie : {0.5, 1.5, 2.5, 1023.5, 1125899906842623.5}) {
        const double below = std::nextafter(tie, 0.0);
        const double above = std::nextafter(tie, 1e300);
        const auto floor = static_cast<std::int64_t>(tie);
        if (std::floor(below) == static_cast<double>(floor)) CHECK(rule(below) == floor);
        if (std::floor(above) == static_cast<double>(floor)) CHECK(rule(above) == floor + 1);
        CHECK(rule(-below) == -floor);
        CHECK(rule(-above) == -(floor + 1));
    }
    CHECK(rule(-0.5 + 0x1p-54) == 0); // 1 + x rounds to the tie 1/2, x is above it
    CHECK(rule(0.49999999999999994) == 0);
    CHECK(rule(-1e-300) == 0);
}

TEST_CASE_TEMPLATE("huge values, NaN and infinities", Rule, half_away, half_even, half_up, toward_zero) {
    constexpr Rule rule{};
    CHECK(rule(std::numeric_limits<double>::quiet_NaN()) == 0);
    CHECK(rule(std::numeric_limits<double>::infinity()) == std::numeric_limits<std::int64_t>::max());
    CHECK(rule(-std::numeric_limits<double>::infinity()) == std::numeric_limits<std::int64_t>::min());
    CHECK(rule(0x1p63) == std::numeric_limits<std::int64_t>::max());
    CHECK(rule(-0x1p63) == std::numeric_limits<std::int64_t>::min());
    CHECK(rule(0x1p53 + 2) == (std::int64_t{1} << 53) + 2);
    CHECK(rule(-0x1p62) == -(std::int64_t{1} << 62));
}

TEST_CASE_TEMPLATE("divide and shift_right are the rule applied to the exact quotient", Rule, half_away, half_even,
                   half_up, toward_zero) {
    for (std::int64_t d = 1; d <= 33; ++d) {
        for (std::int64_t x = -300; x <= 300; ++x) REQUIRE(divide<Rule>(x, d) == exact_quotient<Rule>(x, d));
    }
    for (int n = 0; n <= 9; ++n) {
        for (std::int64_t x = -3000; x <= 3000; ++x) {
            REQUIRE(shift_right<Rule>(x, n) == exact_quotient<Rule>(x, std::int64_t{1} << n));
        }
    }
    std::mt19937_64 random(12);
    for (int i = 0; i < 50000; ++i) {
        const auto x = static_cast<std::int64_t>(random()) >> (random() % 63);
        const auto d = (static_cast<std::int64_t>(random() >> 2) >> (random() % 61)) + 1;
        REQUIRE(divide<Rule>(x, d) == exact_quotient<Rule>(x, d));
        const int n = static_cast<int>(random() % 62);
        REQUIRE(shift_right<Rule>(x, n) == exact_quotient<Rule>(x, std::int64_t{1} << n));
    }
    const std::int64_t least = std::numeric_limits<std::int64_t>::min();
    CHECK(shift_right<Rule>(least, 62) == -2);
    CHECK(divide<Rule>(least, 1) == least);
    CHECK(divide<Rule>(least, std::numeric_limits<std::int64_t>::max()) == -1);
}

TEST_CASE("stochastic rounding gives the floor or the next integer, and is unbiased") {
    // Hoeffding: the mean of N draws in {0, 1} is off by t with probability at most 2 exp(-2 N t^2).
    constexpr int draws = 200000;
    const double bound = std::sqrt(std::log(2 / 1e-9) / (2.0 * draws));
    std::uint64_t seed = 1;
    for (const double x : {0.5, 0.25, 1e-3, 0.999, 17.3, -0.5, -0.25, -3.9, -1e-3, 1000.125, -0x1p-60}) {
        stochastic rule(seed++);
        const double floor = std::floor(x);
        std::int64_t ups = 0;
        for (int i = 0; i < draws; ++i) {
            const auto up = rule(x) - static_cast<std::int64_t>(floor);
            REQUIRE((up == 0 || up == 1));
            ups += up;
        }
        CAPTURE(x);
        CHECK(std::abs(static_cast<double>(ups) / draws - (x - floor)) <= bound);
    }
}

TEST_CASE("stochastic rounding leaves integers alone, repeats with its seed and differs between seeds") {
    stochastic rule(3);
    for (int n = -500; n <= 500; ++n) REQUIRE(rule(n) == n);
    stochastic a(5), b(5), c(6);
    int different = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto first = a(0.5);
        REQUIRE(first == b(0.5));
        different += first != c(0.5);
    }
    // 1000 fair coins: fewer than 400 or more than 600 has probability below 1e-9 (Hoeffding: 2 exp(-20)).
    CHECK(different > 400);
    CHECK(different < 600);
}
