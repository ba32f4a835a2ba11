// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/fixed_point.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/numeric/rounding.hpp>

#include <bit>
#include <cstdint>

namespace statiq::kernels::reference {

// Fixed point functions of gemmlowp, equal to it bit for bit. Qi.f is an int32 with i integer and f fraction bits,
// i + f = 31. The product of Qa and Qb by `saturating_rounding_doubling_high_multiply` is Q(a + b).

namespace detail {

/// 1 in Q0.31, as near as int32 comes to it.
inline constexpr std::int32_t one_q0 = 2147483647;

/// e^a for a in [-1/4, 0), both Q0.31: the Taylor polynomial of degree 4 around -1/8, whose remainder is at most
/// e^(1/8) (1/8)^5 / 5! < 2.9e-7, relative to the result.
[[nodiscard]] constexpr std::int32_t exp_on_last_quarter(std::int32_t a) noexcept {
    constexpr auto multiply = saturating_rounding_doubling_high_multiply;
    constexpr auto divide_by_power_of_two = rounding_divide_by_power_of_two;
    constexpr std::int32_t exp_of_centre = 1895147668; // e^(-1/8)
    constexpr std::int32_t third = 715827883;
    const std::int32_t x = a + (std::int32_t{1} << 28);
    const std::int32_t x2 = multiply(x, x);
    const std::int32_t x3 = multiply(x2, x);
    const std::int32_t x4 = multiply(x2, x2);
    // ((x^4/4 + x^3)/3 + x^2)/2 = x^2/2! + x^3/3! + x^4/4!
    const std::int32_t cubic_and_quartic = multiply(divide_by_power_of_two(x4, 2) + x3, third);
    const std::int32_t beyond_linear = divide_by_power_of_two(cubic_and_quartic + x2, 1);
    return exp_of_centre + multiply(exp_of_centre, x + beyond_linear);
}

} // namespace detail

/// e^a in Q0.31 for a <= 0 with so many integer bits: Q5.26 unless told. The part of a in [-1/4, 0) goes through the
/// polynomial; each bit of the remaining multiple of 1/4 contributes a constant factor e^-(2^k).
template <int IntegerBits = 5>
[[nodiscard]] constexpr std::int32_t exp_on_negative_values(std::int32_t a) noexcept {
    static_assert(IntegerBits >= 2 && IntegerBits <= 5);
    if (a == 0) return detail::one_q0;
    constexpr std::int32_t quarter = std::int32_t{1} << (29 - IntegerBits);
    const std::int32_t last_quarter = (a & (quarter - 1)) - quarter;
    const std::int32_t multiple = last_quarter - a; // of 1/4, never negative
    std::int32_t result = detail::exp_on_last_quarter(last_quarter * (1 << IntegerBits));
    // e^(-2^k) for k = -2 to 4, in Q0.31
    constexpr std::int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    std::int32_t rest = multiple / quarter;
    for (int bit = 0; bit < IntegerBits + 2; ++bit) {
        if ((rest & 1) != 0) result = saturating_rounding_doubling_high_multiply(result, factors[bit]);
        rest /= 2;
    }
    return result;
}

namespace detail {

/// 2 / (1 + x) in Q2.29 for x in [0, 1] in Q0.31: three Newton steps for the reciprocal of (1 + x) / 2 in [1/2, 1],
/// from the line 48/17 - 32/17 d, whose relative error of at most 1/17 each step squares.
[[nodiscard]] constexpr std::int32_t two_over_one_plus_x(std::int32_t x) noexcept {
    constexpr auto multiply = saturating_rounding_doubling_high_multiply;
    constexpr std::int32_t intercept = 1515870810; // 48/17 in Q2.29
    constexpr std::int32_t slope = -1010580540;    // -32/17 in Q2.29
    constexpr std::int32_t one_q2 = std::int32_t{1} << 29;
    const auto half_denominator = static_cast<std::int32_t>(divide<half_away>(std::int64_t{x} + one_q0, 2)); // Q0.31
    std::int32_t estimate = intercept + multiply(half_denominator, slope);                                   // Q2.29
    for (int step = 0; step < 3; ++step) {
        const std::int32_t error = one_q2 - multiply(half_denominator, estimate);
        const std::int64_t correction = multiply(estimate, error); // Q4.27
        estimate += math::saturate<std::int32_t>(correction * 4);
    }
    return estimate;
}

} // namespace detail

/// 1 / (1 + x) for x in [0, 1], both Q0.31.
[[nodiscard]] constexpr std::int32_t one_over_one_plus_x(std::int32_t x) noexcept {
    // Half of the estimate, read as Q1.30, is 1 / (1 + x).
    return math::saturate<std::int32_t>(std::int64_t{detail::two_over_one_plus_x(x)} * 2);
}

/// (1 - x) / (1 + x) = 2 / (1 + x) - 1 for x in [0, 1], both Q0.31.
[[nodiscard]] constexpr std::int32_t one_minus_x_over_one_plus_x(std::int32_t x) noexcept {
    const std::int64_t fraction = detail::two_over_one_plus_x(x) - (std::int32_t{1} << 29); // Q2.29
    return math::saturate<std::int32_t>(fraction * 4);
}

/// 1 / x as value * 2^-shift, value Q0.31 in (1/2, 1].
struct fixed_point_reciprocal {
    std::int32_t value = 0;
    int shift = 0;
    friend constexpr bool operator==(const fixed_point_reciprocal&, const fixed_point_reciprocal&) = default;
};

/// The reciprocal of x > 0, whose binary point leaves `integer_digits` digits (besides the sign) before it.
[[nodiscard]] constexpr fixed_point_reciprocal reciprocal(std::int32_t x, int integer_digits) noexcept {
    const auto bits = static_cast<std::uint32_t>(x);
    const int headroom = std::countl_zero(bits);
    // Shifted so that its leading one is bit 31, x is 1 + a fraction; without that bit, the fraction in Q0.31.
    const auto fraction = static_cast<std::int32_t>((bits << headroom) - (std::uint32_t{1} << 31));
    return {one_over_one_plus_x(fraction), integer_digits - headroom};
}

} // namespace statiq::kernels::reference
