// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer_spec.hpp>

/// What each word for a layer means.
namespace statiq::vocabulary {

template <int Height, int Width, int Channels>
struct input {
    static constexpr layer_spec spec{.kind = operation::input, .shape = {Height, Width, Channels}};
};
template <int OutChannels>
struct conv {
    static constexpr layer_spec spec{.kind = operation::convolution, .out_channels = OutChannels};
};
template <int OutChannels>
struct pointwise {
    static constexpr layer_spec spec{.kind = operation::convolution, .pointwise = true, .out_channels = OutChannels};
};
template <int Multiplier>
struct depthwise {
    static constexpr layer_spec spec{.kind = operation::convolution,
                                     .depthwise = true,
                                     .out_channels = Multiplier,
                                     .kernel_height = 3,
                                     .kernel_width = 3};
};
template <int OutChannels>
struct dense {
    static constexpr layer_spec spec{.kind = operation::dense, .out_channels = OutChannels};
};
/// Pools: 2 x 2, the stride that of the kernel (0), no padding.
template <operation Kind>
struct pool {
    static constexpr layer_spec spec{.kind = Kind,
                                     .kernel_height = 2,
                                     .kernel_width = 2,
                                     .stride_height = 0,
                                     .stride_width = 0,
                                     .padding = padding_rule::valid};
};
template <int Height, int Width, int Channels>
struct reshape {
    static constexpr layer_spec spec{.kind = operation::reshape, .shape = {Height, Width, Channels}};
};
struct flatten {
    static constexpr layer_spec spec{.kind = operation::reshape, .shape = {0, 0, 0}};
};
template <int A, int B, int C>
struct transpose {
    static constexpr layer_spec spec{.kind = operation::transpose, .axes = {A, B, C}};
};
template <int Top, int Bottom, int Left, int Right>
struct pad {
    static constexpr layer_spec spec{.kind = operation::pad,
                                     .padding = padding_rule::sides,
                                     .pad_top = Top,
                                     .pad_bottom = Bottom,
                                     .pad_left = Left,
                                     .pad_right = Right};
};
template <int Height, int Width, int Channels>
struct broadcast {
    static constexpr layer_spec spec{.kind = operation::broadcast, .shape = {Height, Width, Channels}};
};
template <int Rows, int Columns>
struct upsample {
    static constexpr layer_spec spec{.kind = operation::upsample, .rows = Rows, .columns = Columns};
};
/// An operation that needs no more words.
template <operation Kind>
struct plain {
    static constexpr layer_spec spec{.kind = Kind};
};
struct table_softmax {
    static constexpr layer_spec spec{.kind = operation::softmax, .by_table = true};
};
/// What a program has put together rather than written down.
template <layer_spec Spec>
struct specified {
    static constexpr layer_spec spec = Spec;
};

} // namespace statiq::vocabulary
