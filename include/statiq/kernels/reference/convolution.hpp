// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/tensor/window.hpp>

#include <cstddef>
#include <cstdint>

/// The normative scalar definition of every kernel: constexpr, plain loops. Vector kernels give the same bits.
namespace statiq::kernels::reference {

/// For output pixel (y, x) of a window: visit(tap, pixel) for every tap inside the image, `pixel` its index there.
template <class Visit>
constexpr void for_each_tap(const window& over, const extents& in, int y, int x, Visit&& visit) {
    for (int ky = 0; ky < over.kernel_height; ++ky) {
        const int row = y * over.stride_height - over.pad_top + ky * over.dilation_height;
        if (row < 0 || row >= in.height) continue;
        for (int kx = 0; kx < over.kernel_width; ++kx) {
            const int column = x * over.stride_width - over.pad_left + kx * over.dilation_width;
            if (column < 0 || column >= in.width) continue;
            visit(ky * over.kernel_width + kx, static_cast<std::size_t>(row) * static_cast<std::size_t>(in.width) +
                                                   static_cast<std::size_t>(column));
        }
    }
}

/// output[(y, x, o)] = finish(o, start(o) + sum of product(x, o, tap, c)), summed in the order tap, then channel, for
/// the channels o of a range.
/// @param product of an input value and the weight of output o, tap, channel c of the group.
template <class In, class Out, class Start, class Product, class Finish>
constexpr void convolve(const In* input, Out* output, const convolution_shape& shape, const channel_range& channels,
                        Start start, Product product, Finish finish) {
    const int in_channels = shape.in_channels_per_group();
    const int out_channels = shape.out_channels_per_group();
    for (int y = 0; y < shape.out.height; ++y)
        for (int x = 0; x < shape.out.width; ++x, output += shape.out.channels)
            for (int o = channels.first; o < channels.end(shape.out.channels); ++o) {
                auto sum = start(o);
                const In* group = input + o / out_channels * in_channels;
                for_each_tap(shape.over, shape.in, y, x, [&](int tap, std::size_t pixel) {
                    const In* values = group + pixel * static_cast<std::size_t>(shape.in.channels);
                    for (int c = 0; c < in_channels; ++c) sum += product(values[c], o, tap, c);
                });
                output[o] = finish(o, sum);
            }
}

/// Integer convolution, grouped and depthwise too, as `convolution_arguments` defines it.
/// @param weight weight(o, tap, c): the packed weight, whatever the layout.
template <class In, class Weight, class Out, class Scheme, class WeightAt>
constexpr void convolution(const convolution_arguments<In, Weight, Out, Scheme>& a, const convolution_shape& shape,
                           WeightAt weight) noexcept {
    convolve(
        a.input, a.output, shape, a.channels, [&](int o) { return a.bias[o]; },
        [&](In x, int o, int tap, int c) {
            const std::int32_t zw = a.weight_zero_points == nullptr ? 0 : a.weight_zero_points[o];
            return (std::int32_t{x} - a.input_zero_point) * (std::int32_t{weight(o, tap, c)} - zw);
        },
        [&](int o, std::int32_t acc) {
            return static_cast<Out>(
                statiq::requantize<Scheme>(acc, a.factors[o], a.output_zero_point, a.lowest, a.highest));
        });
}

/// The same on packed weights.
template <class In, class Weight, class Out, class Scheme>
constexpr void convolution(const convolution_arguments<In, Weight, Out, Scheme>& a,
                           const convolution_shape& shape) noexcept {
    with_packed_layout<In, Weight>(shape, [&](const auto& layout) {
        reference::convolution(
            a, shape, [&](int o, int tap, int c) { return weight_at<Weight>(a.weights, layout.index(o, tap, c)); });
    });
}

/// Float convolution, the bias first.
template <class WeightAt>
constexpr void convolution(const float_convolution_arguments& a, const convolution_shape& shape,
                           WeightAt weight) noexcept {
    convolve(
        a.input, a.output, shape, a.channels, [&](int o) { return a.bias[o]; },
        [&](float x, int o, int tap, int c) { return x * weight(o, tap, c); },
        [&](int, float sum) { return sum < a.lowest ? a.lowest : (sum > a.highest ? a.highest : sum); });
}

constexpr void convolution(const float_convolution_arguments& a, const convolution_shape& shape) noexcept {
    with_packed_layout<float, float>(shape, [&](const auto& layout) {
        reference::convolution(a, shape, [&](int o, int tap, int c) { return a.weights[layout.index(o, tap, c)]; });
    });
}

} // namespace statiq::kernels::reference
