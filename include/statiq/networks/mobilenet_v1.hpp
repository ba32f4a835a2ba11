// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

namespace statiq::networks {

namespace detail {

/// Channels at a width multiplier in percent: 75 makes 24 of 32.
constexpr int scaled(int channels, int width_percent) { return channels * width_percent / 100; }

/// Named as trained weights are: "conv0", "dw1", "pw1" … "dw13", "pw13", "fc".
template <int Index>
inline constexpr label depthwise_name = label("dw") + Index;
template <int Index>
inline constexpr label pointwise_name = label("pw") + Index;

} // namespace detail

/// The separable block of MobileNetV1: depthwise and pointwise convolution, each with batch norm and ReLU6.
struct original_blocks {
    template <int OutChannels, int Stride = 2>
    static constexpr auto first() {
        return named<"conv0">(conv<OutChannels>(kernel<3>, stride<Stride>) | batch_norm | relu6);
    }
    template <int Index, int OutChannels, int Stride>
    static constexpr auto separable() {
        return named<detail::depthwise_name<Index>>(depthwise(stride<Stride>) | batch_norm | relu6) |
               named<detail::pointwise_name<Index>>(pointwise<OutChannels> | batch_norm | relu6);
    }
};

/// The original block without batch norm and ReLU6 between depthwise and pointwise: P1 figure 5's second row.
struct plain_depthwise_blocks {
    template <int OutChannels, int Stride = 2>
    static constexpr auto first() {
        return original_blocks::first<OutChannels, Stride>();
    }
    template <int Index, int OutChannels, int Stride>
    static constexpr auto separable() {
        return named<detail::depthwise_name<Index>>(depthwise(stride<Stride>, without_bias)) |
               named<detail::pointwise_name<Index>>(pointwise<OutChannels> | batch_norm | relu6);
    }
};

/// The quantization-friendly block (P1 figure 1c): nothing between depthwise and pointwise, so that no batch norm can
/// stretch the depthwise weights' range, and ReLU for ReLU6 everywhere.
struct quantization_friendly_blocks {
    template <int OutChannels, int Stride = 2>
    static constexpr auto first() {
        return named<"conv0">(conv<OutChannels>(kernel<3>, stride<Stride>) | batch_norm | relu);
    }
    template <int Index, int OutChannels, int Stride>
    static constexpr auto separable() {
        return named<detail::depthwise_name<Index>>(depthwise(stride<Stride>, without_bias)) |
               named<detail::pointwise_name<Index>>(pointwise<OutChannels> | batch_norm | relu);
    }
};

/// MobileNetV1's convolutions (Howard et al., arXiv 1704.04861; layer table in P1 table 2), from the image to `pw12`.
/// @tparam WidthPercent width multiplier in percent. @tparam Resolution height and width of the RGB input.
/// @tparam Blocks which separable block.
template <int WidthPercent, int Resolution, class Blocks>
constexpr auto mobilenet_v1_to_pw12() {
    constexpr auto width = [](int channels) { return detail::scaled(channels, WidthPercent); };
    return input<Resolution, Resolution, 3>                  //
           | Blocks::template first<width(32)>()             //
           | Blocks::template separable<1, width(64), 1>()   //
           | Blocks::template separable<2, width(128), 2>()  //
           | Blocks::template separable<3, width(128), 1>()  //
           | Blocks::template separable<4, width(256), 2>()  //
           | Blocks::template separable<5, width(256), 1>()  //
           | Blocks::template separable<6, width(512), 2>()  //
           | Blocks::template separable<7, width(512), 1>()  //
           | Blocks::template separable<8, width(512), 1>()  //
           | Blocks::template separable<9, width(512), 1>()  //
           | Blocks::template separable<10, width(512), 1>() //
           | Blocks::template separable<11, width(512), 1>() //
           | Blocks::template separable<12, width(1024), 2>();
}

/// The same to `pw13`, the last.
template <int WidthPercent, int Resolution, class Blocks>
constexpr auto mobilenet_v1_features() {
    return mobilenet_v1_to_pw12<WidthPercent, Resolution, Blocks>() |
           Blocks::template separable<13, detail::scaled(1024, WidthPercent), 1>();
}

/// The convolutions, their mean and a dense layer: up to the logits.
template <int WidthPercent, int Resolution, int Classes, class Blocks>
constexpr auto mobilenet_v1_body() {
    return mobilenet_v1_features<WidthPercent, Resolution, Blocks>() | global_average_pool |
           named<"fc">(dense<Classes>);
}

/// MobileNetV1 with RGB input as x / 127.5 - 1.
template <int WidthPercent = 100, int Resolution = 224, int Classes = 1000>
struct mobilenet_v1 final : network<decltype(mobilenet_v1_body<WidthPercent, Resolution, Classes, original_blocks>())> {
};

/// MobileNetV1 up to its last depthwise convolution: what can be studied of weights without `pw13` and `fc`.
template <int WidthPercent = 100, int Resolution = 224>
struct mobilenet_v1_to_dw13 final : network<decltype(mobilenet_v1_to_pw12<WidthPercent, Resolution, original_blocks>() |
                                                     named<"dw13">(depthwise | batch_norm | relu6))> {};

/// P1's quantization-friendly variant.
template <int WidthPercent = 100, int Resolution = 224, int Classes = 1000>
struct mobilenet_v1_friendly final
    : network<decltype(mobilenet_v1_body<WidthPercent, Resolution, Classes, quantization_friendly_blocks>())> {};

namespace detail {
template <class Blocks>
constexpr auto mobilenet_v1_small_body() {
    return input<32, 32, 3>                          //
           | Blocks::template first<32, 1>()         //
           | Blocks::template separable<1, 64, 2>()  //
           | Blocks::template separable<2, 128, 1>() //
           | Blocks::template separable<3, 128, 1>() //
           | Blocks::template separable<4, 256, 2>() //
           | Blocks::template separable<5, 256, 1>() //
           | Blocks::template separable<6, 256, 1>() //
           | global_average_pool | named<"fc">(dense<10>);
}
} // namespace detail

/// A MobileNetV1 in small, of six separable blocks for 32 x 32 images: `conv0`, `dw1`, `pw1` … `pw6`, `fc`.
template <class Blocks = original_blocks>
struct mobilenet_v1_small final : network<decltype(detail::mobilenet_v1_small_body<Blocks>())> {};

} // namespace statiq::networks
