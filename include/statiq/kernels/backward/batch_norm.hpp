// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/backward/channel_sums.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace statiq::kernels {

/// A batch norm and the activation behind it, channel by channel: y = clamp(scale x + shift, lowest, highest).
struct channel_scaling {
    const float* scale = nullptr;
    const float* shift = nullptr;
    float lowest = -std::numeric_limits<float>::infinity();
    float highest = std::numeric_limits<float>::infinity();
};

inline void scale_channels(const float* input, std::size_t pixels, std::size_t channels, const channel_scaling& by,
                           float* output) noexcept {
    for (std::size_t p = 0; p < pixels; ++p, input += channels, output += channels)
        for (std::size_t c = 0; c < channels; ++c) {
            const float y = input[c] * by.scale[c] + by.shift[c];
            output[c] = (std::min)((std::max)(y, by.lowest), by.highest);
        }
}

/// The same in a batch norm's own terms: xn = (x - mean) inverse, inverse = 1 / sqrt(variance + epsilon).
struct channel_normalization {
    const float* mean = nullptr;
    const float* inverse = nullptr;
};

namespace detail {

/// The gradient that the activation lets through, found again from the input: nothing where it clamps, or at its ends.
[[gnu::always_inline]] inline float through_clamp(float x, float given, float scale, float shift, float lowest,
                                                  float highest) noexcept {
    const float y = x * scale + shift;
    return (y > lowest ? 1.0F : 0.0F) * (y < highest ? 1.0F : 0.0F) * given;
}

} // namespace detail

/// beta[c] += sum of dy, gamma[c] += sum of dy xn, dy being the gradient before the activation.
inline void add_batch_norm_sums(const float* input, const float* output_gradient, std::size_t pixels,
                                std::size_t channels, const channel_scaling& by, const channel_normalization& with,
                                double* gamma, double* beta) noexcept {
    for_each_block(pixels, channels, [&](std::size_t p, std::size_t rows, std::size_t first, std::size_t count) {
        const float* x = input + p * channels + first;
        const float* given = output_gradient + p * channels + first;
        const float* scale = by.scale + first;
        const float* shift = by.shift + first;
        const float* mean = with.mean + first;
        const float lowest = by.lowest;
        const float highest = by.highest;
        const auto passed = [=](std::size_t r, std::size_t c) {
            const std::size_t i = r * channels + c;
            return detail::through_clamp(x[i], given[i], scale[c], shift[c], lowest, highest);
        };
        float sums[channels_per_block];
        detail::sum_rows(rows, count, sums, passed);
        for (std::size_t c = 0; c < count; ++c) beta[first + c] += static_cast<double>(sums[c]);
        detail::sum_rows(rows, count, sums,
                         [=](std::size_t r, std::size_t c) { return passed(r, c) * (x[r * channels + c] - mean[c]); });
        for (std::size_t c = 0; c < count; ++c)
            gamma[first + c] += static_cast<double>(sums[c]) * static_cast<double>(with.inverse[first + c]);
    });
}

/// dx = by_gradient dy + by_input (x - mean) + constant, dy being the gradient before the activation: the way back of a
/// batch norm, whose coefficients are the same for all of a channel.
struct batch_norm_gradient_coefficients {
    const float* by_gradient = nullptr;
    const float* by_input = nullptr;
    const float* constant = nullptr;
};

/// @param gradient may be the output's
inline void batch_norm_gradient(const float* input, const float* output_gradient, std::size_t pixels,
                                std::size_t channels, const channel_scaling& by, const channel_normalization& with,
                                const batch_norm_gradient_coefficients& of, float* gradient) noexcept {
    for (std::size_t p = 0; p < pixels; ++p, input += channels, output_gradient += channels, gradient += channels)
        for (std::size_t c = 0; c < channels; ++c) {
            const float given =
                detail::through_clamp(input[c], output_gradient[c], by.scale[c], by.shift[c], by.lowest, by.highest);
            gradient[c] = of.by_gradient[c] * given + (of.by_input[c] * (input[c] - with.mean[c]) + of.constant[c]);
        }
}

} // namespace statiq::kernels
