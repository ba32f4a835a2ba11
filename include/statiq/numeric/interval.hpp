// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/number.hpp>

#include <bit>
#include <cstdint>
#include <limits>

namespace statiq {

namespace detail {
constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return a < 0 ? (std::numeric_limits<std::int64_t>::min)() : (std::numeric_limits<std::int64_t>::max)();
}
constexpr std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t product = 0;
    if (!__builtin_mul_overflow(a, b, &product)) return product;
    return (a < 0) != (b < 0) ? (std::numeric_limits<std::int64_t>::min)() : (std::numeric_limits<std::int64_t>::max)();
}
} // namespace detail

/// All integers lo <= x <= hi. Arithmetic gives an interval that holds every result of its operands' elements, and
/// the least such one. An end beyond int64 stays at its limit: then the interval only says that int32 is too small.
struct interval {
    std::int64_t lo = 0;
    std::int64_t hi = 0;

    friend constexpr bool operator==(const interval&, const interval&) = default;

    [[nodiscard]] constexpr bool contains(std::int64_t x) const noexcept { return lo <= x && x <= hi; }
    [[nodiscard]] constexpr bool contains(const interval& other) const noexcept {
        return lo <= other.lo && other.hi <= hi;
    }
    [[nodiscard]] constexpr bool contains_zero() const noexcept { return contains(0); }

    /// The sum of `count` elements, each chosen freely. count >= 0.
    [[nodiscard]] constexpr interval times(std::int64_t count) const noexcept {
        return {detail::saturating_multiply(lo, count), detail::saturating_multiply(hi, count)};
    }

    /// The least width of a two's complement integer that holds every element.
    [[nodiscard]] constexpr int bits_needed() const noexcept {
        const auto width = [](std::int64_t x) {
            return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(x < 0 ? ~x : x))) + 1;
        };
        return width(lo) > width(hi) ? width(lo) : width(hi);
    }
    [[nodiscard]] constexpr bool fits_int32() const noexcept { return bits_needed() <= 32; }
};

[[nodiscard]] constexpr interval operator+(const interval& a, const interval& b) noexcept {
    return {detail::saturating_add(a.lo, b.lo), detail::saturating_add(a.hi, b.hi)};
}

[[nodiscard]] constexpr interval operator-(const interval& a) noexcept {
    return {detail::saturating_multiply(a.hi, -1), detail::saturating_multiply(a.lo, -1)};
}

[[nodiscard]] constexpr interval operator-(const interval& a, const interval& b) noexcept { return a + -b; }

[[nodiscard]] constexpr interval operator*(const interval& a, const interval& b) noexcept {
    const std::int64_t corners[] = {detail::saturating_multiply(a.lo, b.lo), detail::saturating_multiply(a.lo, b.hi),
                                    detail::saturating_multiply(a.hi, b.lo), detail::saturating_multiply(a.hi, b.hi)};
    interval result{corners[0], corners[0]};
    for (const std::int64_t corner : corners) {
        if (corner < result.lo) result.lo = corner;
        if (corner > result.hi) result.hi = corner;
    }
    return result;
}

/// The least interval that holds both.
[[nodiscard]] constexpr interval hull(const interval& a, const interval& b) noexcept {
    return {a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

/// The integers a format stores. Not for float32.
[[nodiscard]] constexpr interval interval_of(const number_format& format) noexcept {
    return {format.lowest, format.highest};
}

/// x - zero_point for every stored x and a given zero point.
[[nodiscard]] constexpr interval centred(const number_format& format, std::int32_t zero_point) noexcept {
    return interval_of(format) - interval{zero_point, zero_point};
}

/// x - zero_point for every stored x and every zero point the format allows.
[[nodiscard]] constexpr interval centred(const number_format& format) noexcept {
    return format.has_zero_point ? interval_of(format) - interval_of(format) : interval_of(format);
}

/// Every value a sum of at most `reduction` products (x - zx) * (w - zw) can take, in any order and after any number of
/// terms, for any data and any zero points: taps outside the image add nothing, so zero terms are allowed for.
[[nodiscard]] constexpr interval accumulator_interval(const number_format& activation, const number_format& weight,
                                                      std::int64_t reduction) noexcept {
    return hull(centred(activation) * centred(weight), interval{}).times(reduction);
}

/// The biases to which any of these sums may be added without leaving int32. `sums` fits int32 and contains zero.
[[nodiscard]] constexpr interval bias_interval(const interval& sums) noexcept {
    return {(std::numeric_limits<std::int32_t>::min)() - sums.lo, (std::numeric_limits<std::int32_t>::max)() - sums.hi};
}

} // namespace statiq
