// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/networks/repvgg.hpp>
#include <statiq/operations/library.hpp>

#include <algorithm>

namespace statiq::networks {

namespace detail {

/// 1 x 1 or 3 x 3 convolution, batch norm, ReLU.
template <label Name, int Channels, int Kernel, int Stride = 1>
constexpr auto simple_convolution() {
    return named<Name>(conv<Channels>(kernel<Kernel>, stride<Stride>, padding<Kernel / 2>, without_bias) |
                       batch_norm(epsilon<1e-5>) | relu);
}

/// `Count` blocks "<index>" of one width; the first may change it.
template <class Blocks, int InChannels, int Channels, int Count, int Index = 0>
constexpr auto rep_blocks() {
    constexpr auto block = Blocks::template block<label("") + Index, InChannels, Channels, 1, 1>();
    if constexpr (Index + 1 == Count)
        return block;
    else
        return block | rep_blocks<Blocks, Channels, Channels, Count, Index + 1>();
}

/// Three 5 x 5 maxima, each of the one before, beside their input: pooling at four sizes. `Scope` is where it stands.
template <label Scope, int Channels>
constexpr auto fast_pyramid_pooling() {
    constexpr auto maximum = max_pool(kernel<5>, stride<1>, padding<2>);
    return simple_convolution<"reduce", Channels / 2, 1>() //
           | named<"pool1">(maximum) | named<"pool2">(maximum) | named<"pool3">(maximum) |
           concat(from<Scope / label("reduce")>, from<Scope / label("pool1")>, from<Scope / label("pool2")>, identity) |
           simple_convolution<"expand", Channels, 1>();
}

struct yolov6_widths {
    int width = 25; ///< percent
    int depth = 33; ///< percent

    [[nodiscard]] constexpr int channels(int full) const { return (full * width / 100 + 7) / 8 * 8; }
    [[nodiscard]] constexpr int blocks(int full) const {
        return full > 1 ? (std::max)(1, (full * depth + 50) / 100) : full;
    }
};

template <class Blocks, yolov6_widths W, int Resolution>
constexpr auto yolov6_body() {
    constexpr auto c = [](int full) { return W.channels(full); };
    constexpr auto n = [](int full) { return W.blocks(full); };
    return input<Resolution, Resolution, 3>                   //
                                                              // EfficientRep: strides 2 to 32
           | Blocks::template block<"stem", 3, c(64), 2, 1>() //
           | Blocks::template block<"down2", c(64), c(128), 2, 1>() |
           named<"c2">(rep_blocks<Blocks, c(128), c(128), n(6)>()) //
           | Blocks::template block<"down3", c(128), c(256), 2, 1>() |
           named<"c3">(rep_blocks<Blocks, c(256), c(256), n(12)>()) //
           | Blocks::template block<"down4", c(256), c(512), 2, 1>() |
           named<"c4">(rep_blocks<Blocks, c(512), c(512), n(18)>()) //
           | Blocks::template block<"down5", c(512), c(1024), 2, 1>() |
           named<"c5">(rep_blocks<Blocks, c(1024), c(1024), n(6)>()) //
           | named<"sppf">(fast_pyramid_pooling<"sppf", c(1024)>())
           // Rep-PAN: up to the finest level and down again
           | simple_convolution<"reduce5", c(256), 1>() //
           | named<"join4">(concat(upsample<2>, from<"c4">)) |
           named<"up4">(rep_blocks<Blocks, c(256) + c(512), c(256), n(12)>()) //
           | simple_convolution<"reduce4", c(128), 1>()                       //
           | named<"join3">(concat(upsample<2>, from<"c3">)) |
           named<"p3">(rep_blocks<Blocks, c(128) + c(256), c(128), n(12)>()) //
           | simple_convolution<"back4", c(128), 3, 2>()                     //
           | named<"rejoin4">(concat(identity, from<"reduce4">)) |
           named<"p4">(rep_blocks<Blocks, c(128) + c(128), c(256), n(12)>()) //
           | simple_convolution<"back5", c(256), 3, 2>()                     //
           | named<"rejoin5">(concat(identity, from<"reduce5">)) |
           named<"p5">(rep_blocks<Blocks, c(256) + c(256), c(512), n(12)>()) //
           | outputs<"p3", "p4", "p5">;
}

} // namespace detail

/// Backbone and neck of a YOLOv6-style detector: EfficientRep and Rep-PAN of RepVGG blocks, up to the features that the
/// heads read, outputs `p3`, `p4` and `p5` at strides 8, 16 and 32. Upsampling repeats pixels. Named after the
/// published networks' width and depth: 25 and 33 percent is the nano size.
/// @tparam Resolution a multiple of 32
template <int WidthPercent = 25, int DepthPercent = 33, int Resolution = 640, class Blocks = repvgg_blocks>
struct yolov6_features final
    : network<decltype(detail::yolov6_body<Blocks, detail::yolov6_widths{WidthPercent, DepthPercent}, Resolution>())> {
    static_assert(Resolution % 32 == 0, "statiq: the levels of a pyramid fit where 32 divides the resolution");
};

} // namespace statiq::networks
