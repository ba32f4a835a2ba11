// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/operations/library.hpp>

namespace statiq::networks {

/// Blocks as visual wake words trains them: ReLU for ReLU6, biases before batch norm.
struct biased_relu_blocks {
    template <int OutChannels, int Stride = 2>
    static constexpr auto first() {
        return named<"conv0">(conv<OutChannels>(kernel<3>, stride<Stride>, with_bias) | batch_norm | relu);
    }
    template <int Index, int OutChannels, int Stride>
    static constexpr auto separable() {
        return named<detail::depthwise_name<Index>>(depthwise(stride<Stride>, with_bias) | batch_norm | relu) |
               named<detail::pointwise_name<Index>>(pointwise<OutChannels>(with_bias) | batch_norm | relu);
    }
};

/// The visual wake words network of MLPerf Tiny: width 0.25, 96 x 96 RGB as x / 255, two classes, softmax.
struct visual_wake_words final
    : network<decltype(mobilenet_v1_features<25, 96, biased_relu_blocks>() | average_pool(kernel<3>) | flatten |
                       named<"fc">(dense<2>) | softmax)> {};

} // namespace statiq::networks
