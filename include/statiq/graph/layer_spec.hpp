// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>

#include <array>
#include <cstdint>

namespace statiq {

enum class padding_rule : std::uint8_t { valid, same, sides, unstated };
enum class bias_rule : std::uint8_t { unless_batch_norm_follows, always, never, unstated };

/// What layers do about which their user says nothing: see `with_defaults`.
struct layer_defaults {
    padding_rule padding = padding_rule::same; ///< of convolutions; pools have none unless told
    bias_rule bias = bias_rule::unless_batch_norm_follows;
    float epsilon = 1e-3F; ///< of batch norms
    /// Whether an average pool divides by the number of taps inside the image, or by all.
    bool average_inside = true;
    friend constexpr bool operator==(const layer_defaults&, const layer_defaults&) = default;
};

/// Padding 'same', epsilon 1e-3, a bias unless batch norm follows: what holds where `with_defaults` says nothing else.
inline constexpr layer_defaults tensorflow{};
/// PyTorch's: no padding, epsilon 1e-5, a bias before batch norm, too; an average pool counts its padding.
inline constexpr layer_defaults pytorch{
    .padding = padding_rule::valid, .bias = bias_rule::always, .epsilon = 1e-5F, .average_inside = false};

/// A layer as its user wrote it, before shapes are known.
struct layer_spec {
    const operation_facts* facts = nullptr; ///< what it computes
    bool depthwise = false;
    bool pointwise = false; ///< a convolution whose word says that it is 1 x 1
    int out_channels = 0;   ///< for depthwise: output channels per input channel
    int kernel_height = 1;
    int kernel_width = 1;
    int stride_height = 1;
    int stride_width = 1;
    int dilation_height = 1;
    int dilation_width = 1;
    padding_rule padding = padding_rule::unstated;
    int pad_top = 0;
    int pad_bottom = 0;
    int pad_left = 0;
    int pad_right = 0;
    int groups = 1;
    bias_rule bias = bias_rule::unstated;
    float epsilon = 0;                ///< of a batch norm; 0: not stated
    extents shape{1, 1, 1};           ///< of an input, a reshape or a broadcast
    bool flattens = false;            ///< of a reshape: to one vector
    std::array<int, 3> axes{0, 1, 2}; ///< of a transpose
    int rows = 1;                     ///< of an upsampling: how often each pixel is repeated downwards
    int columns = 1;                  ///< and to the right
    real_clamp clamp{};               ///< of an activation

    template <class Op>
    [[nodiscard]] constexpr bool is() const {
        return facts == &facts_of<Op>;
    }
    [[nodiscard]] constexpr bool has_window() const { return facts->traits.windowed; }
    [[nodiscard]] constexpr bool is_linear() const { return facts->traits.linear; }
    [[nodiscard]] constexpr bool is_pool() const { return has_window() && !is_linear(); }
    [[nodiscard]] constexpr bool is_convolution() const { return has_window() && is_linear(); }
    [[nodiscard]] constexpr bool normalizes() const { return facts->traits.normalizes; }
    [[nodiscard]] constexpr bool permutes_axes() const {
        const auto names = [this](int axis) { return axes[0] == axis || axes[1] == axis || axes[2] == axis; };
        return names(0) && names(1) && names(2);
    }
    /// The layer with everything stated.
    [[nodiscard]] constexpr layer_spec completed(const layer_defaults& defaults) const {
        layer_spec s = *this;
        if (s.padding == padding_rule::unstated) s.padding = defaults.padding;
        if (s.bias == bias_rule::unstated) s.bias = defaults.bias;
        if (s.epsilon == 0) s.epsilon = defaults.epsilon;
        return s;
    }
    friend constexpr bool operator==(const layer_spec&, const layer_spec&) = default;
};

} // namespace statiq
