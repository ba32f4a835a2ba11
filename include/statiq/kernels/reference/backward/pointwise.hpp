// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/extents.hpp>

#include <concepts>
#include <cstddef>

namespace statiq::kernels::reference {

/// Through a clamp to [lowest, highest], given its output: what was clamped, or lay at an end, passes nothing.
/// @param gradient may be the output's.
template <std::floating_point Real>
constexpr void clamp_gradient(const Real* output, const Real* output_gradient, std::size_t size, Real lowest,
                              Real highest, Real* gradient) noexcept {
    for (std::size_t i = 0; i < size; ++i)
        gradient[i] = output[i] > lowest && output[i] < highest ? output_gradient[i] : Real{0};
}

/// Through a softmax over the channels of every pixel, given its output y: dx = y (dy - sum of y dy).
template <std::floating_point Real>
constexpr void softmax_gradient(const Real* output, const Real* output_gradient, const extents& in, Real* gradient) {
    const auto channels = static_cast<std::size_t>(in.channels);
    for (std::size_t pixel = 0; pixel < in.pixels(); ++pixel) {
        const std::size_t first = pixel * channels;
        double mean = 0;
        for (std::size_t c = first; c < first + channels; ++c)
            mean += static_cast<double>(output[c]) * static_cast<double>(output_gradient[c]);
        for (std::size_t c = first; c < first + channels; ++c)
            gradient[c] =
                static_cast<Real>(static_cast<double>(output[c]) * (static_cast<double>(output_gradient[c]) - mean));
    }
}

} // namespace statiq::kernels::reference
