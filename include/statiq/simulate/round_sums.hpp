// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/numeric/rounding.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace statiq::detail {

/// x rounded half to even as a real, for |x| <= 2^51: what lies below one unit of 2^52 is rounded off by the sum, in
/// the rounding mode every program starts in. Without a branch or a conversion, so that compilers vectorize it.
inline double nearest_even(double x) noexcept { return (x + 0x1.8p52) - 0x1.8p52; }

/// A float's value rounded half away from zero, for |x| <= 2^51: the sum is exact, or too small to matter.
inline double nearest_away(float x) noexcept {
    const auto wide = static_cast<double>(x);
    return std::trunc(wide + std::copysign(0.5, wide));
}

/// Real sums of a linear layer as the integers of its output, in place, dequantized: rounded to the accumulator, whose
/// step is `steps[channel]`, then by the scheme, then clamped to [lowest, highest]. The sums are finite and, as the
/// formats prove, fit int32.
template <class Scheme>
void round_sums(float* values, std::size_t pixels, std::size_t channels, const double* steps,
                const typename Scheme::factor* factors, const affine& output, std::int32_t lowest,
                std::int32_t highest) noexcept {
    if constexpr (std::is_same_v<Scheme, float_multiplier>) {
        // The same arithmetic as below, in double registers, where every integer involved is exact. (Compilers
        // vectorize this as it stands; a comparison more, and GCC 12 does not.)
        const double low = static_cast<double>(lowest) - output.zero_point;
        const double high = static_cast<double>(highest) - output.zero_point;
        const auto scale = static_cast<double>(output.scale);
        for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
            float* row = values + pixel * channels;
            for (std::size_t c = 0; c < channels; ++c) {
                const double sum = static_cast<double>(row[c]) / steps[c];
                const float product = static_cast<float>(nearest_even(sum)) * factors[c];
                double scaled = static_cast<double>(product);
                scaled = scaled < low ? low : scaled;
                scaled = scaled > high ? high : scaled;
                row[c] = static_cast<float>(scale * nearest_even(scaled));
            }
        }
    } else {
        for (std::size_t pixel = 0; pixel < pixels; ++pixel)
            for (std::size_t c = 0; c < channels; ++c) {
                float& value = values[pixel * channels + c];
                const auto sum = math::saturate<std::int32_t>(half_even{}(static_cast<double>(value) / steps[c]));
                value = dequantize(requantize<Scheme>(sum, factors[c], output.zero_point, lowest, highest), output);
            }
    }
}

/// Reals as the integers nearest to them, dequantized, clamped to [lowest, highest]: `fake_quantize` of many.
inline void round_reals(const float* from, float* to, std::size_t count, const affine& map, std::int32_t lowest,
                        std::int32_t highest) noexcept {
    const double low = static_cast<double>(lowest) - map.zero_point;
    const double high = static_cast<double>(highest) - map.zero_point;
    const auto scale = static_cast<double>(map.scale);
    bool any_nan = false;
    for (std::size_t i = 0; i < count; ++i) any_nan |= math::is_nan(from[i]);
    for (std::size_t i = 0; i < count; ++i) {
        double steps = nearest_away(from[i] / map.scale);
        if (any_nan && math::is_nan(steps)) steps = 0;
        steps = steps < low ? low : steps;
        steps = steps > high ? high : steps;
        to[i] = static_cast<float>(scale * steps);
    }
}

} // namespace statiq::detail
