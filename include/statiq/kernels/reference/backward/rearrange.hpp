// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/extents.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>

/// Backwards through layers that move values: a value's gradient is the sum of those of its copies.
namespace statiq::kernels::reference {

/// Of a concatenation: channels [first_channel, first_channel + in.channels) of every pixel.
template <std::floating_point Real>
constexpr void concat_gradient(const Real* output_gradient, const extents& in, int channels, int first_channel,
                               Real* gradient) {
    const auto width = static_cast<std::size_t>(in.channels);
    for (std::size_t pixel = 0; pixel < in.pixels(); ++pixel)
        std::copy_n(output_gradient + pixel * static_cast<std::size_t>(channels) +
                        static_cast<std::size_t>(first_channel),
                    width, gradient + pixel * width);
}

/// Of padding: what lies inside.
template <std::floating_point Real>
constexpr void pad_gradient(const Real* output_gradient, const extents& in, const extents& out, int pad_top,
                            int pad_left, Real* gradient) {
    const auto channels = static_cast<std::size_t>(in.channels);
    const auto row = static_cast<std::size_t>(in.width) * channels;
    for (int y = 0; y < in.height; ++y)
        std::copy_n(output_gradient + (static_cast<std::size_t>(y + pad_top) * static_cast<std::size_t>(out.width) +
                                       static_cast<std::size_t>(pad_left)) *
                                          channels,
                    row, gradient + static_cast<std::size_t>(y) * row);
}

/// Of a transposition whose output axis i is input axis axes[i].
template <std::floating_point Real>
constexpr void transpose_gradient(const Real* output_gradient, const extents& in, const std::array<int, 3>& axes,
                                  Real* gradient) {
    const std::array<int, 3> extent{in.height, in.width, in.channels};
    const std::array<std::size_t, 3> step{static_cast<std::size_t>(in.width) * static_cast<std::size_t>(in.channels),
                                          static_cast<std::size_t>(in.channels), 1};
    const auto along = [&](std::size_t k) { return static_cast<std::size_t>(axes[k]); };
    for (int a = 0; a < extent[along(0)]; ++a)
        for (int b = 0; b < extent[along(1)]; ++b)
            for (int c = 0; c < extent[along(2)]; ++c)
                gradient[static_cast<std::size_t>(a) * step[along(0)] + static_cast<std::size_t>(b) * step[along(1)] +
                         static_cast<std::size_t>(c) * step[along(2)]] = *output_gradient++;
}

/// Of broadcasting along the axes on which the extent of `in` is 1.
template <std::floating_point Real>
constexpr void broadcast_gradient(const Real* output_gradient, const extents& in, const extents& out, Real* gradient) {
    std::fill_n(gradient, in.size(), Real{0});
    const auto at = [](int index, int extent) { return static_cast<std::size_t>(extent == 1 ? 0 : index); };
    const auto width = static_cast<std::size_t>(in.width);
    const auto channels = static_cast<std::size_t>(in.channels);
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x)
            for (int c = 0; c < out.channels; ++c)
                gradient[(at(y, in.height) * width + at(x, in.width)) * channels + at(c, in.channels)] +=
                    *output_gradient++;
}

/// Of repeating every pixel along rows and columns.
template <std::floating_point Real>
constexpr void upsample_gradient(const Real* output_gradient, const extents& in, const extents& out, Real* gradient) {
    std::fill_n(gradient, in.size(), Real{0});
    const int rows = out.height / in.height;
    const int columns = out.width / in.width;
    const auto channels = static_cast<std::size_t>(in.channels);
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x) {
            Real* pixel = gradient + static_cast<std::size_t>(y / rows * in.width + x / columns) * channels;
            for (std::size_t c = 0; c < channels; ++c) pixel[c] += *output_gradient++;
        }
}

} // namespace statiq::kernels::reference
