// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "blocks.hpp"

/// Architectures of 100 to 250 nodes.
namespace architectures {

// ---- ResNet ----------------------------------------------------------------------------------------------------

/// ResNet-50 (v1.5: the stride in the 3 x 3).
template <int Channels, int Stride>
constexpr auto bottleneck_branch() {
    return named<"conv1">(pointwise<Channels> | batch_norm | relu) |
           named<"conv2">(conv<Channels>(kernel<3>, stride<Stride>) | batch_norm | relu) |
           named<"conv3">(pointwise<4 * Channels> | batch_norm);
}
template <int Channels, int Stride>
constexpr auto first_bottleneck() {
    return add(bottleneck_branch<Channels, Stride>(),
               named<"shortcut">(pointwise<4 * Channels>(stride<Stride>) | batch_norm)) |
           relu;
}
template <int Channels>
constexpr auto bottleneck() {
    return residual(bottleneck_branch<Channels, 1>()) | relu;
}
template <label Name, int Channels, int Count, int Stride>
constexpr auto bottleneck_stage() {
    return named<Name>(named<"block0">(first_bottleneck<Channels, Stride>()) |
                       repeated<"block", Count - 1, 1>([] { return bottleneck<Channels>(); }));
}
constexpr auto resnet50_body() {
    return input<224, 224, 3> | named<"stem">(conv<64>(kernel<7>, stride<2>) | batch_norm | relu) //
           | max_pool(kernel<3>, stride<2>, padding<1>)                                           //
           | bottleneck_stage<"stage1", 64, 3, 1>()                                               //
           | bottleneck_stage<"stage2", 128, 4, 2>()                                              //
           | bottleneck_stage<"stage3", 256, 6, 2>()                                              //
           | bottleneck_stage<"stage4", 512, 3, 2>()                                              //
           | global_average_pool | named<"fc">(dense<1000>);
}
struct resnet50 final : network<decltype(resnet50_body())> {};

// ---- RepVGG ----------------------------------------------------------------------------------------------------

constexpr auto repvgg_b0_body() {
    return input<224, 224, 3> | repvgg_stage<"stage0", 64, 1>() //
           | repvgg_stage<"stage1", 64, 4>()                    //
           | repvgg_stage<"stage2", 128, 6>()                   //
           | repvgg_stage<"stage3", 256, 16>()                  //
           | repvgg_stage<"stage4", 1280, 1>()                  //
           | global_average_pool | named<"fc">(dense<1000>);
}
struct repvgg_b0 final : network<decltype(repvgg_b0_body())> {};

} // namespace architectures
