// SPDX-License-Identifier: Apache-2.0
#include <statiq/numeric/interval.hpp>

#include <doctest/doctest.h>

#include "formats.hpp"
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

using namespace statiq;

namespace {

using int8_weight = quantized<8, symmetric>;
using uint8_activation = quantized<8, asymmetric>;
using int16_activation = quantized<16, asymmetric_signed>;

static_assert(interval_of(int8_weight::format) == interval{-127, 127});
static_assert(centred(uint8_activation::format) == interval{-255, 255});
static_assert(centred(uint8_activation::format, 128) == interval{-128, 127});
static_assert(centred(int8_weight::format) == interval{-127, 127});

/// Whether `reduction` products fit int32 for any data and one more does not.
template <class Activation, class Weight>
constexpr bool most_products(std::int64_t reduction) {
    return accumulator_interval(Activation::format, Weight::format, reduction).fits_int32() &&
           !accumulator_interval(Activation::format, Weight::format, reduction + 1).fits_int32();
}
// (2^31 - 1) / (largest |x - zx| * largest |w - zw|): the table of docs/numerics.md.
static_assert(most_products<uint8_activation, int8_weight>(66311));
static_assert(most_products<uint8_activation, uint8_activation>(33025));
static_assert(most_products<uint8_activation, quantized<4, symmetric>>(1203072));
static_assert(most_products<int16_activation, int8_weight>(258));
static_assert(most_products<quantized<16, symmetric>, int8_weight>(516));
static_assert(most_products<quantized<16, symmetric>, quantized<16, symmetric>>(2));

static_assert(!accumulator_interval(int16_activation::format, int16_activation::format, 1).fits_int32());
static_assert((interval{-3, 2} * interval{-5, 7}) == interval{-21, 15});

/// Every interval within [-4, 4].
std::vector<interval> small_intervals() {
    std::vector<interval> list;
    for (int lo = -4; lo <= 4; ++lo) {
        for (int hi = lo; hi <= 4; ++hi) list.push_back({lo, hi});
    }
    return list;
}

/// The least interval that holds f(x, y) for all elements.
template <class F>
interval brute_force(const interval& a, const interval& b, F f) {
    interval result{f(a.lo, b.lo), f(a.lo, b.lo)};
    for (auto x = a.lo; x <= a.hi; ++x) {
        for (auto y = b.lo; y <= b.hi; ++y) {
            result.lo = std::min(result.lo, f(x, y));
            result.hi = std::max(result.hi, f(x, y));
        }
    }
    return result;
}

} // namespace

TEST_CASE("sums, differences, products and hulls are the least intervals that hold every result") {
    using number = std::int64_t;
    for (const interval& a : small_intervals()) {
        for (const interval& b : small_intervals()) {
            REQUIRE(a + b == brute_force(a, b, [](number x, number y) { return x + y; }));
            REQUIRE(a - b == brute_force(a, b, [](number x, number y) { return x - y; }));
            REQUIRE(a * b == brute_force(a, b, [](number x, number y) { return x * y; }));
            const interval both = hull(a, b);
            REQUIRE((both.contains(a) && both.contains(b)));
            REQUIRE((both.lo == a.lo || both.lo == b.lo));
            REQUIRE((both.hi == a.hi || both.hi == b.hi));
            REQUIRE(a.contains(b) == (hull(a, b) == a));
        }
        REQUIRE(-a == interval{} - a);
        REQUIRE(a.times(0) == interval{});
        interval sum{};
        for (int count = 1; count <= 5; ++count) {
            sum = sum + a;
            REQUIRE(a.times(count) == sum);
        }
        bool zero = false;
        for (auto x = a.lo; x <= a.hi; ++x) zero = zero || x == 0;
        REQUIRE(a.contains_zero() == zero);
    }
}

TEST_CASE("bits_needed is the least two's complement width") {
    for (std::int64_t lo = -70; lo <= 70; ++lo) {
        for (std::int64_t hi = lo; hi <= 70; ++hi) {
            int bits = 1;
            while (lo < -(std::int64_t{1} << (bits - 1)) || hi > (std::int64_t{1} << (bits - 1)) - 1) ++bits;
            REQUIRE(interval{lo, hi}.bits_needed() == bits);
        }
    }
    constexpr std::int64_t least = std::numeric_limits<std::int32_t>::min();
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    CHECK(interval{least, most}.fits_int32());
    CHECK_FALSE(interval{least - 1, 0}.fits_int32());
    CHECK_FALSE(interval{0, most + 1}.fits_int32());
    CHECK(interval{std::numeric_limits<std::int64_t>::min(), 0}.bits_needed() == 64);
}

TEST_CASE("taps outside the image add nothing, also where no product can be zero") {
    constexpr number_format positive{.floating = false, .bits = 2, .lowest = 1, .highest = 3};
    CHECK(centred(positive) == interval{1, 3});
    CHECK(accumulator_interval(positive, positive, 2) == interval{0, 18});
}

TEST_CASE("ends beyond int64 stay at its limits") {
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    CHECK(interval{least, most} + interval{-1, 1} == interval{least, most});
    CHECK(-interval{least, 0} == interval{0, most});
    CHECK(interval{-2, 3}.times(most) == interval{least, most});
    CHECK_FALSE(accumulator_interval(int16_activation::format, int16_activation::format, most).fits_int32());
}

TEST_CASE("centred holds exactly the differences from every zero point") {
    for (const number_format& format : formats::all()) {
        if (format.bits > 5) continue;
        const int lowest_zero = format.has_zero_point ? format.lowest : 0;
        const int highest_zero = format.has_zero_point ? format.highest : 0;
        interval seen = centred(format, lowest_zero);
        for (int zero = lowest_zero; zero <= highest_zero; ++zero) {
            REQUIRE(centred(format, zero) == interval{format.lowest - zero, format.highest - zero});
            seen = hull(seen, centred(format, zero));
        }
        REQUIRE(centred(format) == seen);
        REQUIRE(seen.contains_zero());
    }
}

TEST_CASE("the accumulator interval is what all data, weights and zero points of narrow formats reach") {
    for (const number_format& activation : formats::all()) {
        for (const number_format& weight : formats::all()) {
            if (activation.bits > 3 || weight.bits > 3) continue;
            // One shared zero point for the activations, one for the weights of the channel; each tap may be outside
            // the image and add nothing. After each tap: all sums reached.
            constexpr int taps = 3;
            interval reached[taps + 1] = {};
            const auto zeros = [](const number_format& f) { return f.has_zero_point ? interval_of(f) : interval{}; };
            for (auto zx = zeros(activation).lo; zx <= zeros(activation).hi; ++zx) {
                for (auto zw = zeros(weight).lo; zw <= zeros(weight).hi; ++zw) {
                    interval sums{};
                    for (int tap = 1; tap <= taps; ++tap) {
                        interval next = sums;
                        for (auto x = std::int64_t{activation.lowest}; x <= activation.highest; ++x) {
                            for (auto w = std::int64_t{weight.lowest}; w <= weight.highest; ++w) {
                                const std::int64_t product = (x - zx) * (w - zw);
                                next = hull(next, {sums.lo + product, sums.hi + product});
                            }
                        }
                        sums = next;
                        reached[tap] = hull(reached[tap], sums);
                    }
                }
            }
            for (int tap = 0; tap <= taps; ++tap) {
                REQUIRE(accumulator_interval(activation, weight, tap) == reached[tap]);
            }
        }
    }
}
