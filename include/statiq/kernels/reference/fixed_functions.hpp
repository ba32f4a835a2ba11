// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/softmax_primitives.hpp>
#include <statiq/numeric/fixed_point.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/numeric/requantize.hpp>

#include <algorithm>
#include <cstdint>

/// Functions of bytes in fixed point: TensorFlow Lite's reference kernels, bit for bit. Each takes an integer less its
/// zero point (`centred`) and the scales, and gives an integer less its zero point, which the caller adds and clamps.
namespace statiq::kernels::reference {

/// 1 / (1 + e^-a) in Q0.31 for a in Q4.27, not -16.
[[nodiscard]] constexpr std::int32_t fixed_logistic(std::int32_t a) noexcept {
    if (a == 0) return std::int32_t{1} << 30;
    const std::int32_t of_magnitude = one_over_one_plus_x(exp_on_negative_values<4>(a > 0 ? -a : a));
    return a > 0 ? of_magnitude : detail::one_q0 - of_magnitude;
}

/// tanh(a) in Q0.31 for a in Q4.27, not -16: of |a|, (1 - e^-2|a|) / (1 + e^-2|a|). The bits of -|a| are those of
/// -2|a| in Q5.26.
[[nodiscard]] constexpr std::int32_t fixed_tanh(std::int32_t a) noexcept {
    if (a == 0) return 0;
    const std::int32_t of_magnitude = one_minus_x_over_one_plus_x(exp_on_negative_values<5>(a > 0 ? -a : a));
    return a > 0 ? of_magnitude : -of_magnitude;
}

namespace detail {

/// `inside` of an integer in Q4.27; `below` and `above` beyond +-15, where TensorFlow Lite counts in powers of two
/// above the scale: with scales above 1 it stops earlier, and from 8 on even 0 is `below`.
template <class F>
[[nodiscard]] constexpr std::int32_t within_fifteen(std::int32_t centred, float scale, std::int32_t below,
                                                    std::int32_t above, F&& inside) noexcept {
    const double real = static_cast<double>(scale) * 0x1p27;
    const std::int64_t radius = math::floor(15 * 0x1p27 / math::power_of_two(math::frexp(real).exponent));
    if (centred <= -radius) return below;
    if (centred >= radius) return above;
    return inside(multiply_by_quantized_multiplier(centred, gemmlowp::prepare(real)));
}

} // namespace detail

/// The logistic function in steps of 1/256: 0 to 256.
[[nodiscard]] constexpr std::int32_t logistic_of_byte(std::int32_t centred, float scale) noexcept {
    return detail::within_fifteen(
        centred, scale, 0, 255, [](std::int32_t a) { return rounding_divide_by_power_of_two(fixed_logistic(a), 23); });
}

/// The hyperbolic tangent in steps of 1/128: -128 to 128.
[[nodiscard]] constexpr std::int32_t tanh_of_byte(std::int32_t centred, float scale) noexcept {
    return detail::within_fifteen(centred, scale, -128, 127,
                                  [](std::int32_t a) { return rounding_divide_by_power_of_two(fixed_tanh(a), 24); });
}

/// alpha x below 0, x elsewhere, of 8 or 16 bits. alpha is any finite number.
class leaky_relu {
  public:
    leaky_relu() = default;
    constexpr leaky_relu(float scale, float output_scale, float alpha) noexcept
        : below_(factor_of(scale * alpha / output_scale)), above_(factor_of(scale / output_scale)),
          sign_(alpha < 0 ? -1 : 1) {}

    [[nodiscard]] constexpr std::int32_t operator()(std::int32_t centred) const noexcept {
        if (centred >= 0) return multiply_by_quantized_multiplier(centred, above_);
        return sign_ * multiply_by_quantized_multiplier(centred, below_);
    }

  private:
    static constexpr fixed_point factor_of(float real) noexcept {
        return gemmlowp::prepare(static_cast<double>(math::absolute(real)));
    }
    fixed_point below_{};
    fixed_point above_{};
    std::int32_t sign_ = 1;
};

namespace detail {

[[nodiscard]] constexpr std::int32_t saturate_to_short(std::int64_t x) noexcept {
    return math::saturate<std::int16_t>(x);
}
/// a b / 2^15 to the nearest, ties up, saturated: both are 16-bit integers.
[[nodiscard]] constexpr std::int32_t high_multiply_short(std::int32_t a, std::int32_t b) noexcept {
    return saturate_to_short((std::int64_t{a} * b + (1 << 14)) >> 15);
}
/// A multiplier of 16 bits.
struct short_multiplier {
    std::int32_t value;
    int exponent;
    constexpr explicit short_multiplier(float real) noexcept {
        const fixed_point wide = gemmlowp::prepare(static_cast<double>(real));
        value = static_cast<std::int32_t>(
            (std::min)((std::int64_t{wide.multiplier} + (1 << 15)) >> 16, std::int64_t{32767}));
        exponent = wide.shift;
    }
};

} // namespace detail

/// Whether `hard_swish` takes these scales: a step of the output is more than 1/128 of an input's.
[[nodiscard]] constexpr bool fits_hard_swish(float scale, float output_scale) noexcept {
    return scale / 128.0F / output_scale < 1.0F;
}

/// x clamp(x + 3, 0, 6) / 6 on 16 bits: x in steps of 1/128 of the input's, times its share of 1.
[[nodiscard]] constexpr std::int32_t hard_swish(std::int32_t centred, float scale, float output_scale) noexcept {
    const float fine = scale / 128.0F;
    const detail::short_multiplier to_output(fine / output_scale);
    const detail::short_multiplier to_share(fine / (3.0F / 32768.0F)); // 3 is 2^15
    const std::int32_t x = centred * 128;
    const std::int32_t product = detail::high_multiply_short(x, to_output.value);
    std::int32_t share = x;
    if (to_share.exponent > 0) // any x but 0 saturates when it is shifted by 9 or more
        share = detail::saturate_to_short(std::int64_t{share} << (std::min)(to_share.exponent - 1, 16));
    share = detail::high_multiply_short(share, to_share.value);
    if (to_share.exponent > 0) share = detail::saturate_to_short(std::int64_t{share} * 2);
    if (to_share.exponent < 0) share = rounding_divide_by_power_of_two(share, -to_share.exponent);
    share = (share + 32768) >> 1; // from [-1, 1) to [0, 1)
    return rounding_divide_by_power_of_two(share * product / 32768, -to_output.exponent);
}

} // namespace statiq::kernels::reference
