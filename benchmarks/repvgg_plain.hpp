// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>

namespace benchmarks {

/// Count 3 x 3 convolutions with ReLU, the first at stride 2.
template <int Stage, int Channels, int Count, int Index = 0>
constexpr auto repvgg_stage() {
    constexpr auto block = statiq::named<(statiq::label("stage") + Stage) / (statiq::label("block") + Index)>(
        statiq::conv<Channels>(statiq::kernel<3>, statiq::stride < Index == 0 ? 2 : 1 >) | statiq::relu);
    if constexpr (Index + 1 == Count)
        return block;
    else
        return block | repvgg_stage<Stage, Channels, Count, Index + 1>();
}

/// RepVGG-A0 (Ding et al., arXiv 2101.03697) as it is deployed: a plain stack of 3 x 3 convolutions.
struct repvgg_a0_224 final
    : statiq::network<decltype(statiq::input<224, 224, 3> | repvgg_stage<0, 48, 1>() | repvgg_stage<1, 48, 2>() |
                               repvgg_stage<2, 96, 4>() | repvgg_stage<3, 192, 14>() | repvgg_stage<4, 1280, 1>() |
                               statiq::global_average_pool | statiq::named<"fc">(statiq::dense<1000>))> {};

} // namespace benchmarks
