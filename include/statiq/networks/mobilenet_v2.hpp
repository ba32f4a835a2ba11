// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include <algorithm>

namespace statiq::networks {

namespace detail {

/// Channels at a width multiplier in percent, as a multiple of 8 that is at least 90% of the product.
constexpr int multiple_of_eight(int channels, int width_percent) {
    const int wanted = channels * width_percent; // in hundredths
    const int rounded = (std::max)(8, (wanted + 400) / 800 * 8);
    return rounded * 1000 < wanted * 9 ? rounded + 8 : rounded;
}

} // namespace detail

/// MobileNetV2's block (Sandler et al., arXiv 1801.04381): expand by 1 x 1, depthwise 3 x 3, project by 1 x 1 without
/// activation; the input is added where the shape allows. Without expansion the first convolution is left out.
template <label Name, int InChannels, int OutChannels, int Expansion, int Stride>
constexpr auto inverted_residual() {
    constexpr auto tail = named<"depthwise">(depthwise(stride<Stride>) | batch_norm | relu6) |
                          named<"project">(pointwise<OutChannels> | batch_norm);
    constexpr auto body = [tail] {
        if constexpr (Expansion == 1)
            return tail;
        else
            return named<"expand">(pointwise<InChannels * Expansion> | batch_norm | relu6) | tail;
    }();
    if constexpr (Stride == 1 && InChannels == OutChannels)
        return named<Name>(residual(body));
    else
        return named<Name>(body);
}

namespace detail {

/// A run of inverted residuals of one width: the first has the stride, the others add their input.
template <int Index, int InChannels, int OutChannels, int Expansion, int Stride, int Count>
constexpr auto inverted_residuals() {
    constexpr auto first = inverted_residual<label("block") + Index, InChannels, OutChannels, Expansion, Stride>();
    if constexpr (Count == 1)
        return first;
    else
        return first | inverted_residuals<Index + 1, OutChannels, OutChannels, Expansion, 1, Count - 1>();
}

/// From the image to `conv_last`, without the input.
template <int WidthPercent>
constexpr auto mobilenet_v2_features() {
    constexpr auto width = [](int channels) { return multiple_of_eight(channels, WidthPercent); };
    constexpr int last = multiple_of_eight(1280, (std::max)(100, WidthPercent));
    return named<"conv0">(conv<width(32)>(kernel<3>, stride<2>) | batch_norm | relu6) //
           | inverted_residuals<1, width(32), width(16), 1, 1, 1>()                   //
           | inverted_residuals<2, width(16), width(24), 6, 2, 2>()                   //
           | inverted_residuals<4, width(24), width(32), 6, 2, 3>()                   //
           | inverted_residuals<7, width(32), width(64), 6, 2, 4>()                   //
           | inverted_residuals<11, width(64), width(96), 6, 1, 3>()                  //
           | inverted_residuals<14, width(96), width(160), 6, 2, 3>()                 //
           | inverted_residuals<17, width(160), width(320), 6, 1, 1>()                //
           | named<"conv_last">(pointwise<last> | batch_norm | relu6);
}

template <int WidthPercent, int Resolution, int Classes>
constexpr auto mobilenet_v2_body() {
    return input<Resolution, Resolution, 3> | mobilenet_v2_features<WidthPercent>() | global_average_pool |
           named<"fc">(dense<Classes>);
}

} // namespace detail

/// MobileNetV2 up to the logits, layers `conv0`, `block1.depthwise`, `block1.project`, `block2.expand` …
/// `block17.project`, `conv_last`, `fc`.
/// @tparam WidthPercent width multiplier in percent. @tparam Resolution height and width of the input, RGB as
/// x / 127.5 - 1.
template <int WidthPercent = 100, int Resolution = 224, int Classes = 1000>
struct mobilenet_v2 final : network<decltype(detail::mobilenet_v2_body<WidthPercent, Resolution, Classes>())> {};

} // namespace statiq::networks
