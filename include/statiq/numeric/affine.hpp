// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/math.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/numeric/rounding.hpp>

#include <cstdint>
#include <limits>
#include <utility>

namespace statiq {

/// The map between integers and reals: real = scale * (q - zero_point) (P1 (1), P2 (3), P3 (1)). scale > 0.
struct affine {
    float scale = 1;
    std::int32_t zero_point = 0;
    friend constexpr bool operator==(const affine&, const affine&) = default;
};

/// A closed interval of reals, min <= max: what a tensor's values were seen or declared to span.
struct range {
    float min = 0;
    float max = 0;
    friend constexpr bool operator==(const range&, const range&) = default;
};

/// The range widened to contain zero, so that zero (padding, ReLU) has an integer of its own (P2 2.2):
/// (2.1, 3.5) becomes (0, 3.5).
[[nodiscard]] constexpr range relaxed(range r) noexcept { return {r.min < 0 ? r.min : 0, r.max > 0 ? r.max : 0}; }

/// The scale and zero point with which `format` covers `r` (relaxed to contain zero). `r` is finite, as is its width.
/// With a zero point: scale = (max - min) / (highest - lowest), zero_point = lowest - min / scale rounded half away
/// from zero and clamped, in float as TensorFlow Lite's converter does. The ends move by up to half a step, because
/// the zero point is an integer (the nudging of P3 (13)).
/// Without: scale = max(|min|, |max|) / highest (unsigned formats: max / highest), zero_point = 0.
/// A range of zero width gives scale 1. The scale is never below the least normal float.
[[nodiscard]] constexpr affine choose_affine(const number_format& format, range r) noexcept {
    const range wide = relaxed(r);
    const float lowest = static_cast<float>(format.lowest);
    const float highest = static_cast<float>(format.highest);
    const auto clamped = [&format](std::int64_t q) {
        return static_cast<std::int32_t>(q < format.lowest ? format.lowest : (q > format.highest ? format.highest : q));
    };
    float span = wide.max - wide.min;
    float steps = highest - lowest;
    if (!format.has_zero_point) {
        span = format.is_signed() && -wide.min > wide.max ? -wide.min : wide.max;
        steps = highest;
    }
    if (!(span > 0)) return {1, clamped(0)};
    constexpr float least = (std::numeric_limits<float>::min)();
    const float scale = span / steps > least ? span / steps : least;
    if (!format.has_zero_point) return {scale, 0};
    return {scale, clamped(half_away{}(static_cast<double>(lowest - wide.min / scale)))};
}

/// clamp(rule(x / scale) + zero_point): the division in float, then the rounding, then the zero point (P1 (1), P2
/// (1)-(2)). NaN gives the zero point, infinities the ends of the format.
/// @tparam Rule any rounding rule; pass an object as the last argument when it has state: quantize(x, a, f, rng).
template <class Rule = half_away>
requires rounding_rule<Rule>
[[nodiscard]] constexpr std::int32_t quantize(float x, const affine& a, const number_format& format,
                                              Rule&& rule = Rule{}) noexcept {
    const std::int64_t rounded = math::is_nan(x) ? 0 : rule(static_cast<double>(x / a.scale));
    // Clamped before the zero point is added: the rounded value may be anywhere in int64.
    const std::int64_t low = std::int64_t{format.lowest} - a.zero_point;
    const std::int64_t high = std::int64_t{format.highest} - a.zero_point;
    return static_cast<std::int32_t>((rounded < low ? low : (rounded > high ? high : rounded)) + a.zero_point);
}

/// The same for a number type: the stored value.
template <number_type Q, class Rule = half_away>
requires rounding_rule<Rule>
[[nodiscard]] constexpr typename Q::storage quantize(float x, const affine& a, Rule&& rule = Rule{}) noexcept {
    if constexpr (Q::format.floating) {
        return x;
    } else {
        return static_cast<typename Q::storage>(quantize(x, a, Q::format, std::forward<Rule>(rule)));
    }
}

/// scale * (q - zero_point), rounded once (P2 (3), P3 (1)): the product of a float and an integer below 2^29 is exact
/// in double.
[[nodiscard]] constexpr float dequantize(std::int32_t q, const affine& a) noexcept {
    const auto steps = static_cast<double>(std::int64_t{q} - a.zero_point);
    return static_cast<float>(static_cast<double>(a.scale) * steps);
}

/// The nearest real the integers can express (P2 (12)-(13), P3 (12)): what simulated quantization computes.
template <class Rule = half_away>
requires rounding_rule<Rule>
[[nodiscard]] constexpr float fake_quantize(float x, const affine& a, const number_format& format,
                                            Rule&& rule = Rule{}) noexcept {
    return dequantize(quantize(x, a, format, std::forward<Rule>(rule)), a);
}

/// The reals between the lowest and the highest integer: outside, `quantize` saturates.
[[nodiscard]] constexpr range representable(const affine& a, const number_format& format) noexcept {
    return {dequantize(format.lowest, a), dequantize(format.highest, a)};
}

/// A bias as int32 at scale s_x * s_w (P3 (11)): rounded half away from zero, saturated to +-(2^31 - 1). NaN gives 0.
[[nodiscard]] constexpr std::int32_t quantize_bias(double bias, double scale) noexcept {
    constexpr std::int64_t limit = (std::numeric_limits<std::int32_t>::max)();
    const std::int64_t q = math::is_nan(bias) ? 0 : half_away{}(bias / scale);
    return static_cast<std::int32_t>(q < -limit ? -limit : (q > limit ? limit : q));
}

} // namespace statiq
