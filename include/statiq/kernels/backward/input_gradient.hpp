// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/kernels/reference/backward/convolution.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>

/// The gradient of a convolution's input is a convolution of the output's gradient, with the roles of the channels
/// exchanged and the window turned around. With strides it is several: rows (and columns) of the input that lie a
/// stride apart see the same taps, and each such phase is a convolution of its own, without strides.
namespace statiq::kernels {

namespace detail {

/// One axis of a phase: which taps it has, and where its window begins.
struct phase_axis {
    int extent = 0; ///< input positions of the phase
    int first_tap = 0;
    int taps = 0; ///< first_tap, first_tap + stride, …
    int pad = 0;  ///< may be negative: the window begins behind the first position
};

/// @param phase in [0, stride): positions phase, phase + stride, …
constexpr phase_axis axis_of_phase(int in, int kernel, int stride, int pad, int phase) noexcept {
    phase_axis axis;
    axis.extent = in > phase ? (in - phase - 1) / stride + 1 : 0;
    axis.first_tap = (phase + pad) % stride;
    axis.taps = kernel > axis.first_tap ? (kernel - axis.first_tap - 1) / stride + 1 : 0;
    axis.pad = axis.taps - 1 - (phase + pad) / stride;
    return axis;
}

constexpr bool is_strided(const convolution_shape& of) noexcept {
    return of.over.stride_height > 1 || of.over.stride_width > 1;
}

} // namespace detail

/// One phase of an input gradient.
struct gradient_phase {
    int row = 0; ///< of its first input pixel
    int column = 0;
    detail::phase_axis rows{};
    detail::phase_axis columns{};
    convolution_shape shape{}; ///< of the convolution that computes it
};

/// Calls visit(phase) for each; those without taps have zero gradient and a shape without taps.
template <class Visit>
constexpr void for_each_phase(const convolution_shape& of, Visit&& visit) {
    const window& over = of.over;
    for (int row = 0; row < over.stride_height; ++row)
        for (int column = 0; column < over.stride_width; ++column) {
            gradient_phase phase{
                row,
                column,
                detail::axis_of_phase(of.in.height, over.kernel_height, over.stride_height, over.pad_top, row),
                detail::axis_of_phase(of.in.width, over.kernel_width, over.stride_width, over.pad_left, column),
                {}};
            if (phase.rows.extent == 0 || phase.columns.extent == 0) continue;
            const bool strided = detail::is_strided(of);
            phase.shape = {.in = of.out,
                           .out = {phase.rows.extent, phase.columns.extent, of.in.channels},
                           .over = {.kernel_height = phase.rows.taps,
                                    .kernel_width = phase.columns.taps,
                                    .dilation_height = strided ? 1 : over.dilation_height,
                                    .dilation_width = strided ? 1 : over.dilation_width,
                                    .pad_top = phase.rows.pad,
                                    .pad_left = phase.columns.pad},
                           .groups = of.groups};
            if (!strided) { // one phase: the window's reach, not its taps
                phase.shape.over.pad_top = (over.kernel_height - 1) * over.dilation_height - over.pad_top;
                phase.shape.over.pad_left = (over.kernel_width - 1) * over.dilation_width - over.pad_left;
            }
            visit(phase);
        }
}

/// Whether a convolution's input gradient is made of convolutions; the others, strided and dilated at once, or padded
/// beyond their window, are computed as they are defined.
constexpr bool has_phases(const convolution_shape& of) noexcept {
    if (detail::is_strided(of) && (of.over.dilation_height > 1 || of.over.dilation_width > 1)) return false;
    bool plain = true;
    for_each_phase(of, [&](const gradient_phase& phase) {
        if (phase.shape.over.taps() > 0 && (phase.shape.over.pad_top < 0 || phase.shape.over.pad_left < 0))
            plain = false;
    });
    return plain;
}

/// Values of the packed weights of all phases; of a convolution without phases, its natural weights.
constexpr std::size_t packed_gradient_weight_count(const convolution_shape& of) noexcept {
    if (!has_phases(of)) return of.weight_count();
    std::size_t count = 0;
    for_each_phase(of, [&](const gradient_phase& phase) {
        if (phase.shape.over.taps() > 0) count += packed_weight_count<float, float>(phase.shape);
    });
    return count;
}

/// Packs natural weights for the way back.
/// @param natural,packed weight_count and packed_gradient_weight_count values. @param turned room for weight_count
inline void pack_gradient_weights(const float* natural, float* packed, float* turned, const convolution_shape& of) {
    if (!has_phases(of)) {
        std::copy_n(natural, of.weight_count(), packed);
        return;
    }
    for_each_phase(of, [&](const gradient_phase& phase) {
        const convolution_shape& shape = phase.shape;
        if (shape.over.taps() == 0) return;
        for (int group = 0; group < of.groups; ++group)
            for (int c = 0; c < of.in_channels_per_group(); ++c)
                for (int ky = 0; ky < shape.over.kernel_height; ++ky)
                    for (int kx = 0; kx < shape.over.kernel_width; ++kx) {
                        const int row =
                            phase.rows.first_tap + (shape.over.kernel_height - 1 - ky) * of.over.stride_height;
                        const int column =
                            phase.columns.first_tap + (shape.over.kernel_width - 1 - kx) * of.over.stride_width;
                        for (int o = 0; o < of.out_channels_per_group(); ++o)
                            turned[shape.weight_index(group * of.in_channels_per_group() + c,
                                                      ky * shape.over.kernel_width + kx, o)] =
                                natural[of.weight_index(group * of.out_channels_per_group() + o,
                                                        row * of.over.kernel_width + column, c)];
                    }
        pack_weights<float, float>(turned, packed, shape);
        packed += packed_weight_count<float, float>(shape);
    });
}

/// What an input gradient reads and writes, for one sample.
struct input_gradient_arguments {
    const float* output_gradient = nullptr;
    const float* weights = nullptr; ///< of `pack_gradient_weights`
    const float* zeros = nullptr;   ///< as many as there are input channels
    float* phases = nullptr;        ///< room for the input's size, where there are strides
    float* gradient = nullptr;      ///< all written
};

/// dx = sum of w dy, as `reference::input_gradient` up to the rounding of its sums.
inline void input_gradient(const input_gradient_arguments& of, const convolution_shape& shape) noexcept {
    if (!has_phases(shape)) return reference::input_gradient(of.weights, of.output_gradient, of.gradient, shape);
    const bool strided = detail::is_strided(shape);
    const float* weights = of.weights;
    for_each_phase(shape, [&](const gradient_phase& phase) {
        float* made = strided ? of.phases : of.gradient;
        if (phase.shape.over.taps() > 0) {
            float_stack_scratch scratch;
            convolution(float_convolution_arguments{.input = of.output_gradient,
                                                    .weights = weights,
                                                    .bias = of.zeros,
                                                    .output = made,
                                                    .scratch = scratch.memory()},
                        phase.shape);
            weights += packed_weight_count<float, float>(phase.shape);
        } else {
            std::fill_n(made, phase.shape.out.size(), 0.0F);
        }
        if (!strided) return;
        const auto channels = static_cast<std::size_t>(shape.in.channels);
        for (int y = phase.row; y < shape.in.height; y += shape.over.stride_height)
            for (int x = phase.column; x < shape.in.width; x += shape.over.stride_width, made += channels)
                std::copy_n(made, channels,
                            of.gradient + (static_cast<std::size_t>(y) * static_cast<std::size_t>(shape.in.width) +
                                           static_cast<std::size_t>(x)) *
                                              channels);
    });
}

} // namespace statiq::kernels
