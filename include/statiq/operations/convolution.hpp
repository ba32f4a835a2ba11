// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/window_shape.hpp>
#include <statiq/operations/linear.hpp>

#include <cstdint>
#include <string_view>

namespace statiq {

namespace operations {

/// Sums over a window, grouped or not; depthwise where there are as many groups as input channels.
struct convolution : linear {
    static constexpr std::string_view word = "convolution";
    static constexpr operation_traits traits{.linear = true,
                                             .windowed = true,
                                             .takes_clamp = true,
                                             .rounds = true,
                                             .keeps_input = true,
                                             .channels = channel_flow::made};

    static constexpr void shape(shape_context& c) {
        detail::move_window(c);
        choose_channels(c);
    }

  private:
    static constexpr void choose_channels(shape_context& c) {
        node& n = c.n;
        const layer_spec& s = c.spec;
        n.groups = s.depthwise ? n.in.channels : s.groups;
        const std::int64_t channels = s.depthwise ? detail::product(n.in.channels, s.out_channels) : s.out_channels;
        n.out.channels = detail::as_int(channels);
        n.has_bias = s.bias != bias_rule::never;
        if (n.in.channels % n.groups != 0 || channels % n.groups != 0)
            c.report(defect::groups, {n.groups}, {n.in.channels, channels});
        c.require_counted(detail::product(channels, n.in.channels / n.groups, s.kernel_height, s.kernel_width));
        c.require_counted(detail::product(n.out.height, n.out.width, channels));
    }
};

} // namespace operations

namespace vocabulary {
template <int OutChannels>
struct conv {
    using operation = operations::convolution;
    static constexpr layer_spec spec{.out_channels = OutChannels};
};
template <int OutChannels>
struct pointwise {
    using operation = operations::convolution;
    static constexpr layer_spec spec{.pointwise = true, .out_channels = OutChannels};
};
template <int Multiplier>
struct depthwise {
    using operation = operations::convolution;
    static constexpr layer_spec spec{
        .depthwise = true, .out_channels = Multiplier, .kernel_height = 3, .kernel_width = 3};
};
} // namespace vocabulary

/// Convolution to `OutChannels`; options kernel, stride, same (default) | valid | padding, dilation, groups, bias.
template <int OutChannels>
inline constexpr layer<vocabulary::conv<OutChannels>> conv{};
/// 1 x 1 convolution.
template <int OutChannels>
inline constexpr layer<vocabulary::pointwise<OutChannels>> pointwise{};
/// Depthwise convolution, 3 x 3 unless told, with `Multiplier` output channels per input channel: output channel
/// i * Multiplier + m reads input channel i.
template <int Multiplier>
inline constexpr layer<vocabulary::depthwise<Multiplier>> depthwise_multiplied{};
inline constexpr auto depthwise = depthwise_multiplied<1>;

} // namespace statiq
