// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/extents.hpp>

namespace statiq {

/// How a window (of a convolution or a pool) moves over an image, everything resolved to integers.
/// Output pixel (y, x) reads input rows y * stride_height - pad_top + ky * dilation_height, columns likewise;
/// taps outside the input contribute the real value zero (convolution) or nothing (pooling).
struct window {
    int kernel_height = 1;
    int kernel_width = 1;
    int stride_height = 1;
    int stride_width = 1;
    int dilation_height = 1;
    int dilation_width = 1;
    int pad_top = 0;
    int pad_left = 0;

    [[nodiscard]] constexpr int taps() const noexcept { return kernel_height * kernel_width; }
    friend constexpr bool operator==(const window&, const window&) = default;
};

/// Everything a convolution-like kernel must know about its shape. Weights are grouped: output channel o reads the
/// input channels of group o / (out.channels / groups). A depthwise convolution has groups == in.channels, and its
/// multiplier is out.channels / in.channels. A dense layer is a 1 x 1 convolution on a 1 x 1 x n image.
struct convolution_shape {
    extents in{};
    extents out{};
    window over{};
    int groups = 1;

    [[nodiscard]] constexpr int in_channels_per_group() const noexcept { return in.channels / groups; }
    [[nodiscard]] constexpr int out_channels_per_group() const noexcept { return out.channels / groups; }
    /// One input channel per group (a single-channel image counts as an ordinary convolution).
    [[nodiscard]] constexpr bool is_depthwise() const noexcept { return groups > 1 && groups == in.channels; }
    /// Products summed for one output value.
    [[nodiscard]] constexpr int reduction() const noexcept { return over.taps() * in_channels_per_group(); }
    [[nodiscard]] constexpr std::size_t weight_count() const noexcept {
        return static_cast<std::size_t>(out.channels) * static_cast<std::size_t>(reduction());
    }
    /// Where the weight of (output channel, tap, input channel within its group) stands in natural order:
    /// [out][tap][in / groups], for depthwise [tap][out].
    [[nodiscard]] constexpr std::size_t weight_index(int out_channel, int tap, int in_channel) const noexcept {
        const auto o = static_cast<std::size_t>(out_channel);
        const auto t = static_cast<std::size_t>(tap);
        if (is_depthwise()) return t * static_cast<std::size_t>(out.channels) + o;
        return (o * static_cast<std::size_t>(over.taps()) + t) * static_cast<std::size_t>(in_channels_per_group()) +
               static_cast<std::size_t>(in_channel);
    }
    friend constexpr bool operator==(const convolution_shape&, const convolution_shape&) = default;
};

} // namespace statiq
