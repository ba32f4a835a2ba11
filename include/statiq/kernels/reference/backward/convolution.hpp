// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/convolution.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>

/// The definitions of what training does backwards, one sample at a time, in float or in double. A gradient here is
/// that of the loss with respect to what it is named after.
namespace statiq::kernels::reference {

namespace detail {

/// visit(output index, weight index, input index) for every product of a convolution of one sample.
template <class Visit>
constexpr void for_each_product(const convolution_shape& shape, Visit&& visit) {
    const int in_channels = shape.in_channels_per_group();
    const int out_channels = shape.out_channels_per_group();
    std::size_t output = 0;
    for (int y = 0; y < shape.out.height; ++y)
        for (int x = 0; x < shape.out.width; ++x)
            for (int o = 0; o < shape.out.channels; ++o, ++output) {
                const int first = o / out_channels * in_channels;
                for_each_tap(shape.over, shape.in, y, x, [&](int tap, std::size_t pixel) {
                    const std::size_t values =
                        pixel * static_cast<std::size_t>(shape.in.channels) + static_cast<std::size_t>(first);
                    for (int c = 0; c < in_channels; ++c)
                        visit(output, shape.weight_index(o, tap, c), values + static_cast<std::size_t>(c));
                });
            }
}

} // namespace detail

/// dx[i] = sum of w dy over the products that x[i] is a factor of.
/// @param weights in natural order
template <std::floating_point Real>
constexpr void input_gradient(const Real* weights, const Real* output_gradient, Real* gradient,
                              const convolution_shape& shape) {
    std::fill_n(gradient, shape.in.size(), Real{0});
    detail::for_each_product(shape, [&](std::size_t output, std::size_t weight, std::size_t input) {
        gradient[input] += weights[weight] * output_gradient[output];
    });
}

/// dw += sum of x dy over the products that w is a factor of; in natural order.
template <std::floating_point Real>
constexpr void add_weight_gradient(const Real* input, const Real* output_gradient, Real* gradient,
                                   const convolution_shape& shape) {
    detail::for_each_product(shape, [&](std::size_t output, std::size_t weight, std::size_t x) {
        gradient[weight] += input[x] * output_gradient[output];
    });
}

/// db[c] += sum of dy over the pixels.
template <std::floating_point Real>
constexpr void add_bias_gradient(const Real* output_gradient, Real* gradient, const extents& out) {
    const auto channels = static_cast<std::size_t>(out.channels);
    for (std::size_t pixel = 0; pixel < out.pixels(); ++pixel)
        for (std::size_t c = 0; c < channels; ++c) gradient[c] += output_gradient[pixel * channels + c];
}

} // namespace statiq::kernels::reference
