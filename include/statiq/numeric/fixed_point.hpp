// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/math.hpp>
#include <statiq/numeric/rounding.hpp>

#include <cstdint>
#include <limits>

namespace statiq {

/// A positive real as multiplier * 2^(shift - 31), multiplier in [2^30, 2^31), or zero as (0, 0) (P3 (6)).
/// shift > 0 shifts left.
struct fixed_point {
    std::int32_t multiplier = 0;
    std::int32_t shift = 0;
    friend constexpr bool operator==(const fixed_point&, const fixed_point&) = default;
};

/// The fixed point number nearest to `real`, which is finite (ties away from zero; relative error at most 2^-31). Below
/// 2^-32 it is zero. The arithmetic below needs shift <= 30, which is real < 2^30.
[[nodiscard]] constexpr fixed_point quantize_multiplier(double real) noexcept {
    const auto [mantissa, exponent] = math::frexp(real);
    std::int64_t multiplier = half_away{}(mantissa * 0x1p31);
    std::int32_t shift = exponent;
    if (multiplier == std::int64_t{1} << 31) {
        multiplier >>= 1;
        ++shift;
    }
    if (shift < -31) return {};
    return {static_cast<std::int32_t>(multiplier), shift};
}

/// a * b / 2^31 rounded to nearest, ties towards +infinity; -2^31 * -2^31, the one product that does not fit, gives
/// 2^31 - 1. NEON's SQRDMULH (P3 appendix B).
[[nodiscard]] constexpr std::int32_t saturating_rounding_doubling_high_multiply(std::int32_t a,
                                                                                std::int32_t b) noexcept {
    constexpr std::int32_t lowest = (std::numeric_limits<std::int32_t>::min)();
    if (a == lowest && b == lowest) return (std::numeric_limits<std::int32_t>::max)();
    return static_cast<std::int32_t>((std::int64_t{a} * b + (std::int64_t{1} << 30)) >> 31);
}

/// x / 2^exponent rounded to nearest, ties away from zero: -12 / 8 is -2. 0 <= exponent <= 31.
[[nodiscard]] constexpr std::int32_t rounding_divide_by_power_of_two(std::int32_t x, int exponent) noexcept {
    const std::int32_t mask = static_cast<std::int32_t>((std::int64_t{1} << exponent) - 1);
    const std::int32_t remainder = x & mask;
    const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/// x * 2^shift, where x is first clamped to the integers whose result fits: large values stay large instead of
/// changing sign. 0 <= shift <= 30.
[[nodiscard]] constexpr std::int32_t saturating_shift_left(std::int32_t x, int shift) noexcept {
    const std::int32_t high = (std::numeric_limits<std::int32_t>::max)() >> shift;
    const std::int32_t low = (std::numeric_limits<std::int32_t>::min)() >> shift;
    return (x < low ? low : (x > high ? high : x)) * (std::int32_t{1} << shift);
}

/// How often a product with a fixed point number is rounded.
enum class rounding_steps : std::uint8_t { one, two };

/// x * factor as an integer. factor.shift in [-31, 30].
/// two: the high half of the product is rounded (ties up), then the right shift is rounded (ties away from zero):
///   TensorFlow Lite's reference kernels, bit for bit wherever x * 2^shift fits int32; where it does not, they leave
///   the result undefined and this saturates.
/// one: floor(x * multiplier / 2^(31 - shift) + 1/2), saturated to int32.
template <rounding_steps Steps = rounding_steps::two>
[[nodiscard]] constexpr std::int32_t multiply_by_quantized_multiplier(std::int32_t x, fixed_point factor) noexcept {
    if constexpr (Steps == rounding_steps::two) {
        const int left = factor.shift > 0 ? factor.shift : 0;
        const int right = factor.shift < 0 ? -factor.shift : 0;
        return rounding_divide_by_power_of_two(
            saturating_rounding_doubling_high_multiply(saturating_shift_left(x, left), factor.multiplier), right);
    } else {
        const int shift = 31 - factor.shift;
        const std::int64_t half = std::int64_t{1} << (shift - 1);
        return math::saturate<std::int32_t>((std::int64_t{x} * factor.multiplier + half) >> shift);
    }
}

} // namespace statiq
