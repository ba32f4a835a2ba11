// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>

/// The few functions of `<cmath>` the library needs inside constant expressions, where the standard ones may not appear
/// before C++23.
namespace statiq::math {

namespace detail {
/// The bits without the sign: in the order of |x|, an infinity above every number and NaNs above that. Signed, which
/// vector registers compare more cheaply.
[[nodiscard]] constexpr std::int32_t magnitude(float x) noexcept {
    return std::bit_cast<std::int32_t>(x) & (std::numeric_limits<std::int32_t>::max)();
}
[[nodiscard]] constexpr std::int64_t magnitude(double x) noexcept {
    return std::bit_cast<std::int64_t>(x) & (std::numeric_limits<std::int64_t>::max)();
}
} // namespace detail

// By bits, which compilers look at even where they are told that there are neither NaNs nor infinities (-ffast-math).

template <std::floating_point T>
[[nodiscard]] constexpr bool is_nan(T x) noexcept {
    return detail::magnitude(x) > detail::magnitude(std::numeric_limits<T>::infinity());
}

template <std::floating_point T>
[[nodiscard]] constexpr bool is_finite(T x) noexcept {
    return detail::magnitude(x) < detail::magnitude(std::numeric_limits<T>::infinity());
}

template <std::floating_point T>
[[nodiscard]] constexpr T absolute(T x) noexcept {
    return x < 0 ? -x : x;
}

/// x in the range of To: the nearest end when x lies outside.
template <std::integral To>
[[nodiscard]] constexpr To saturate(std::int64_t x) noexcept {
    constexpr auto low = static_cast<std::int64_t>(std::numeric_limits<To>::lowest());
    constexpr auto high = static_cast<std::int64_t>((std::numeric_limits<To>::max)());
    return static_cast<To>(x < low ? low : (x > high ? high : x));
}

/// x as whole + fraction, both exact: whole = x truncated towards zero, |fraction| < 1 with the sign of x.
/// Beyond 2^52 every double is an integer; beyond 2^63 whole saturates. NaN gives 0.
struct whole_and_fraction {
    std::int64_t whole;
    double fraction;
};
[[nodiscard]] constexpr whole_and_fraction split(double x) noexcept {
    if (x > -0x1p52 && x < 0x1p52) {
        const auto whole = static_cast<std::int64_t>(x);
        return {whole, x - static_cast<double>(whole)};
    }
    if (is_nan(x)) return {0, 0.0};
    if (x >= 0x1p63) return {(std::numeric_limits<std::int64_t>::max)(), 0.0};
    if (x < -0x1p63) return {std::numeric_limits<std::int64_t>::lowest(), 0.0};
    return {static_cast<std::int64_t>(x), 0.0};
}

/// The greatest integer <= x, saturated to int64; NaN gives 0.
[[nodiscard]] constexpr std::int64_t floor(double x) noexcept {
    const auto [whole, fraction] = split(x);
    return fraction < 0 ? whole - 1 : whole;
}

/// 2^exponent, exact for -1022 <= exponent <= 1023.
[[nodiscard]] constexpr double power_of_two(int exponent) noexcept {
    return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

/// x = mantissa * 2^exponent with |mantissa| in [0.5, 1), exactly; zero, infinities and NaN come back unchanged with
/// exponent 0.
struct mantissa_and_exponent {
    double mantissa;
    int exponent;
};
[[nodiscard]] constexpr mantissa_and_exponent frexp(double x) noexcept {
    if (x == 0 || !is_finite(x)) return {x, 0};
    int exponent = 0;
    if (absolute(x) < (std::numeric_limits<double>::min)()) { // a subnormal has no leading bit: give it one
        x *= 0x1p54;
        exponent = -54;
    }
    const auto bits = std::bit_cast<std::uint64_t>(x);
    constexpr std::uint64_t exponent_field = std::uint64_t{0x7ff} << 52;
    exponent += static_cast<int>((bits & exponent_field) >> 52) - 1022;
    return {std::bit_cast<double>((bits & ~exponent_field) | (std::uint64_t{1022} << 52)), exponent};
}

} // namespace statiq::math
