// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/taps.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/tensor/extents.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>

namespace statiq::kernels::reference {

/// A pool's gradient on its way back through one sample.
template <std::floating_point Real>
struct pool_gradient_arguments {
    const Real* input = nullptr; ///< what the pool has read; of a maximum only
    extents in{};
    extents out{};
    window over{};
    const Real* output_gradient = nullptr;
    Real* gradient = nullptr; ///< in.size() values, all written
};

/// Each output's gradient goes to the first of its largest taps, in row order; a NaN counts as larger than any number.
template <std::floating_point Real>
constexpr void max_pool_gradient(const pool_gradient_arguments<Real>& of) {
    std::fill_n(of.gradient, of.in.size(), Real{0});
    const auto channels = static_cast<std::size_t>(of.in.channels);
    const Real* given = of.output_gradient;
    for (int y = 0; y < of.out.height; ++y)
        for (int x = 0; x < of.out.width; ++x, given += channels)
            for (std::size_t c = 0; c < channels; ++c) {
                std::size_t largest = of.in.size();
                for_each_tap_inside(of.in, of.over, y, x, [&](std::size_t pixel) {
                    const std::size_t i = pixel * channels + c;
                    if (largest == of.in.size() || of.input[i] > of.input[largest] ||
                        (math::is_nan(of.input[i]) && !math::is_nan(of.input[largest])))
                        largest = i;
                });
                if (largest != of.in.size()) of.gradient[largest] += given[c];
            }
}

/// Each output's gradient, divided by the number of its taps inside the image, goes to each of them.
template <std::floating_point Real>
constexpr void average_pool_gradient(const pool_gradient_arguments<Real>& of) {
    std::fill_n(of.gradient, of.in.size(), Real{0});
    const auto channels = static_cast<std::size_t>(of.in.channels);
    const Real* given = of.output_gradient;
    for (int y = 0; y < of.out.height; ++y)
        for (int x = 0; x < of.out.width; ++x, given += channels) {
            const int inside = for_each_tap_inside(of.in, of.over, y, x, [](std::size_t) {});
            for_each_tap_inside(of.in, of.over, y, x, [&](std::size_t pixel) {
                Real* gradient = of.gradient + pixel * channels;
                for (std::size_t c = 0; c < channels; ++c) gradient[c] += given[c] / static_cast<Real>(inside);
            });
        }
}

/// The mean over all pixels: every pixel takes its share of its channel's gradient.
template <std::floating_point Real>
constexpr void mean_gradient(const Real* output_gradient, const extents& in, Real* gradient) {
    const auto channels = static_cast<std::size_t>(in.channels);
    const auto pixels = static_cast<Real>(in.pixels());
    for (std::size_t pixel = 0; pixel < in.pixels(); ++pixel)
        for (std::size_t c = 0; c < channels; ++c) gradient[pixel * channels + c] = output_gradient[c] / pixels;
}

} // namespace statiq::kernels::reference
