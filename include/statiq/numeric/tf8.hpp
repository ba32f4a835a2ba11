// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/rounding.hpp>

#include <cstdint>
#include <limits>

/// TF8: the 8-bit arithmetic that P1 found MobileNet to collapse in, TensorFlow's first. Every tensor is stored as
/// bytes with the real numbers its first and last integer stand for, and a product's 32-bit sums are brought back to
/// bytes with known ends of the output. It is not `choose_affine` and `requantize`: the ends need not contain zero,
/// zero is where rounding puts it, and the rescaling is in 16 fractional bits.
namespace statiq::tf8 {

/// The reals that 0 and 255 stand for, min < max.
using ends = range;

/// (max - min) / 255: P1 (2).
[[nodiscard]] constexpr double step(const ends& r) noexcept {
    return (static_cast<double>(r.max) - static_cast<double>(r.min)) / 255.0;
}

namespace detail {
/// By a rounding rule, and within 2^61, so that sums of such integers are integers, too.
template <class Rule>
constexpr std::int64_t round_within(double x) noexcept {
    constexpr double limit = 0x1p61;
    return Rule{}(x < -limit ? -limit : (x > limit ? limit : x));
}
} // namespace detail

/// round(x / step) - round(min / step), halves away from zero (P1 (1)-(2)), not clamped to a byte: both quotients are
/// computed by one scale, 256 / ((max - min) * 256 / 255), in double, and limited to 2^61.
[[nodiscard]] constexpr std::int64_t quantize_unclamped(float x, const ends& r) noexcept {
    const double span = (static_cast<double>(r.max) - static_cast<double>(r.min)) * 256.0 / 255.0;
    const double scale = 256.0 / span;
    return detail::round_within<half_away>(static_cast<double>(x) * scale) -
           detail::round_within<half_away>(static_cast<double>(r.min) * scale);
}

[[nodiscard]] constexpr std::uint8_t quantize(float x, const ends& r) noexcept {
    const std::int64_t q = quantize_unclamped(x, r);
    return static_cast<std::uint8_t>(q < 0 ? 0 : (q > 255 ? 255 : q));
}

/// round(min / step) step + q step.
[[nodiscard]] constexpr float dequantize(std::uint8_t q, const ends& r) noexcept {
    const double width = step(r);
    return static_cast<float>(static_cast<double>(half_away{}(static_cast<double>(r.min) / width)) * width +
                              static_cast<double>(q) * width);
}

/// The integer of the real number zero, which may lie outside 0 … 255: what is subtracted from every byte before it is
/// multiplied (P1 (4), -delta there).
[[nodiscard]] constexpr std::int64_t offset(const ends& r) noexcept { return quantize_unclamped(0.0F, r); }

/// The reals that the least and the greatest int32 stand for in a sum of products of bytes.
[[nodiscard]] constexpr ends accumulator_ends(const ends& x, const ends& w) noexcept {
    const double unit = step(x) * step(w);
    return {static_cast<float>(unit * static_cast<double>((std::numeric_limits<std::int32_t>::min)())),
            static_cast<float>(unit * static_cast<double>((std::numeric_limits<std::int32_t>::max)()))};
}

/// A sum as a byte, given the ends of both (P1 (5)): in 64-bit integers with 16 fractional bits,
///   ((sum * scale) / 2^32 + centre of the input - least of the output + 1/2), clamped to 0 … 255,
/// with scale = 255 (max_in - min_in) / (max_out - min_out), and centre and least in steps of the output; all three
/// truncated to their fractional bits, both shifts rounding down. A product or a scale beyond int64 saturates, centre
/// and least at 2^61.
class requantization {
  public:
    constexpr requantization(const ends& in, const ends& out) noexcept {
        constexpr double fraction = 65536.0;
        const double out_span = static_cast<double>(out.max) - static_cast<double>(out.min);
        const double in_span = static_cast<double>(in.max) - static_cast<double>(in.min);
        const double centre = (static_cast<double>(in.min) + static_cast<double>(in.max)) / 2.0;
        scale_ = toward_zero{}(255.0 * fraction * in_span / out_span);
        in_centre_ = detail::round_within<toward_zero>(centre * (255.0 / out_span) * fraction);
        out_least_ = detail::round_within<toward_zero>(fraction * (static_cast<double>(out.min) * 255.0) / out_span);
    }
    [[nodiscard]] constexpr std::uint8_t operator()(std::int32_t sum) const noexcept {
        std::int64_t product = 0;
        if (__builtin_mul_overflow(std::int64_t{sum}, scale_, &product))
            product = sum < 0 ? (std::numeric_limits<std::int64_t>::min)() : (std::numeric_limits<std::int64_t>::max)();
        const std::int64_t q = ((product >> 32) + in_centre_ - out_least_ + (std::int64_t{1} << 15)) >> 16;
        return static_cast<std::uint8_t>(q < 0 ? 0 : (q > 255 ? 255 : q));
    }

  private:
    std::int64_t scale_ = 0;
    std::int64_t in_centre_ = 0;
    std::int64_t out_least_ = 0;
};

} // namespace statiq::tf8
