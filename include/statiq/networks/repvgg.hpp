// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace statiq::networks {

/// Which branches of a block have a batch norm, and whether one follows the addition.
struct branch_norms {
    bool square = true;   ///< 3 x 3
    bool point = true;    ///< 1 x 1
    bool identity = true; ///< a branch where input and output have the same shape
    bool after = false;   ///< the addition
};

/// A block of three linear branches and a ReLU, as it is trained: `dense3x3`, `conv1x1`, `identity` (with their batch
/// norms `dense3x3.bn` and so on), `bn` after the addition. Convolutions have no bias; padding and epsilon are
/// PyTorch's.
template <branch_norms Norms>
struct branched_blocks {
    template <label Name, int InChannels, int OutChannels, int Stride, int Groups>
    static constexpr auto block() {
        constexpr auto norm = batch_norm(epsilon<1e-5>);
        constexpr auto square = named<"dense3x3">(normed<Norms.square>(
            conv<OutChannels>(kernel<3>, stride<Stride>, padding<1>, groups<Groups>, without_bias)));
        constexpr auto point = named<"conv1x1">(
            normed<Norms.point>(pointwise<OutChannels>(stride<Stride>, padding<0>, groups<Groups>, without_bias)));
        constexpr auto sum = [&] {
            if constexpr (InChannels != OutChannels || Stride != 1)
                return add(square, point);
            else if constexpr (Norms.identity)
                return add(square, point, named<"identity">(norm));
            else
                return add(square, point, identity);
        }();
        if constexpr (Norms.after)
            return named<Name>(sum | norm | relu);
        else
            return named<Name>(sum | relu);
    }

  private:
    template <bool Normed, class Part>
    static constexpr auto normed(const Part& part) {
        if constexpr (Normed)
            return part | batch_norm(epsilon<1e-5>);
        else
            return part;
    }
};

/// RepVGG's block (P5 (1)); in the ablation of P4 section 4.2 it is S0 when trained with the custom L2 and S1 when
/// trained with the plain one.
using repvgg_blocks = branched_blocks<branch_norms{}>;
using repvgg_blocks_s0 = repvgg_blocks;
using repvgg_blocks_s1 = repvgg_blocks;
/// No batch norm on the identity.
using repvgg_blocks_s2 = branched_blocks<branch_norms{.identity = false}>;
/// Nor on the 1 x 1.
using repvgg_blocks_s3 = branched_blocks<branch_norms{.point = false, .identity = false}>;
/// And one after the addition: QARepVGG's block. The 3 x 3 keeps its batch norm.
using repvgg_blocks_s4 = branched_blocks<branch_norms{.point = false, .identity = false, .after = true}>;
using qarepvgg_blocks = repvgg_blocks_s4;

// The block variants of P4 table 5, as its published code numbers them.
using qarepvgg_blocks_v1 = branched_blocks<branch_norms{.after = true}>;
using qarepvgg_blocks_v2 = qarepvgg_blocks;
using qarepvgg_blocks_v3 = branched_blocks<branch_norms{.square = false, .identity = false, .after = true}>;
using qarepvgg_blocks_v4 = branched_blocks<branch_norms{.square = false, .point = false, .after = true}>;
using qarepvgg_blocks_v5 = branched_blocks<branch_norms{.identity = false, .after = true}>;
using qarepvgg_blocks_v6 = repvgg_blocks_s2;

/// The block as it is deployed: a 3 x 3 with bias, ReLU. A network of these has the layers, names and shapes of the
/// merged one.
struct plain_blocks {
    template <label Name, int, int OutChannels, int Stride, int Groups>
    static constexpr auto block() {
        return named<Name>(conv<OutChannels>(kernel<3>, stride<Stride>, padding<1>, groups<Groups>, with_bias) | relu);
    }
};

/// RepVGG's five stages (P5 section 5.2). Stage 0 is one block.
struct repvgg_widths {
    std::array<int, 4> blocks{}; ///< of stages 1 to 4
    std::array<int, 5> channels{};
    int groups = 1; ///< of every second layer from the third on
};

namespace detail {

/// Widths `a` (of the first four stages) and `b` (of the last) in percent.
constexpr repvgg_widths repvgg_of(std::array<int, 4> blocks, int a, int b, int groups = 1) {
    const auto scaled_by = [](int channels, int percent) { return channels * percent / 100; };
    return {
        blocks,
        {(std::min)(64, scaled_by(64, a)), scaled_by(64, a), scaled_by(128, a), scaled_by(256, a), scaled_by(512, b)},
        groups};
}

/// Groups of a layer, counted from 0 over the whole network: of layers 2, 4 … 26.
constexpr int repvgg_groups(const repvgg_widths& w, int layer) {
    return layer >= 2 && layer % 2 == 0 && layer <= 26 ? w.groups : 1;
}

template <class Blocks, repvgg_widths W, std::size_t Stage, int Index, int Layer>
constexpr auto repvgg_stage() {
    constexpr int before = Index == 0 ? W.channels[Stage - 1] : W.channels[Stage];
    constexpr auto block = Blocks::template block < label("") + Index, before, W.channels[Stage], Index == 0 ? 2 : 1,
                   repvgg_groups(W, Layer) > ();
    if constexpr (Index + 1 == W.blocks[Stage - 1])
        return block;
    else
        return block | repvgg_stage<Blocks, W, Stage, Index + 1, Layer + 1>();
}

template <class Blocks, repvgg_widths W, int Resolution, int Classes>
constexpr auto repvgg_body() {
    constexpr int second = 1 + W.blocks[0];
    constexpr int third = second + W.blocks[1];
    constexpr int fourth = third + W.blocks[2];
    return input<Resolution, Resolution, 3>                             //
           | Blocks::template block<"stage0", 3, W.channels[0], 2, 1>() //
           | named<"stage1">(repvgg_stage<Blocks, W, 1, 0, 1>())        //
           | named<"stage2">(repvgg_stage<Blocks, W, 2, 0, second>())   //
           | named<"stage3">(repvgg_stage<Blocks, W, 3, 0, third>())    //
           | named<"stage4">(repvgg_stage<Blocks, W, 4, 0, fourth>())   //
           | global_average_pool | named<"fc">(dense<Classes>);
}

} // namespace detail

// The published widths.
inline constexpr repvgg_widths repvgg_a0 = detail::repvgg_of({2, 4, 14, 1}, 75, 250);
inline constexpr repvgg_widths repvgg_a1 = detail::repvgg_of({2, 4, 14, 1}, 100, 250);
inline constexpr repvgg_widths repvgg_a2 = detail::repvgg_of({2, 4, 14, 1}, 150, 275);
inline constexpr repvgg_widths repvgg_b0 = detail::repvgg_of({4, 6, 16, 1}, 100, 250);
inline constexpr repvgg_widths repvgg_b1 = detail::repvgg_of({4, 6, 16, 1}, 200, 400);
inline constexpr repvgg_widths repvgg_b1g2 = detail::repvgg_of({4, 6, 16, 1}, 200, 400, 2);
inline constexpr repvgg_widths repvgg_b1g4 = detail::repvgg_of({4, 6, 16, 1}, 200, 400, 4);
inline constexpr repvgg_widths repvgg_b2 = detail::repvgg_of({4, 6, 16, 1}, 250, 500);
inline constexpr repvgg_widths repvgg_b2g2 = detail::repvgg_of({4, 6, 16, 1}, 250, 500, 2);
inline constexpr repvgg_widths repvgg_b2g4 = detail::repvgg_of({4, 6, 16, 1}, 250, 500, 4);
inline constexpr repvgg_widths repvgg_b3 = detail::repvgg_of({4, 6, 16, 1}, 300, 500);
inline constexpr repvgg_widths repvgg_b3g2 = detail::repvgg_of({4, 6, 16, 1}, 300, 500, 2);
inline constexpr repvgg_widths repvgg_b3g4 = detail::repvgg_of({4, 6, 16, 1}, 300, 500, 4);

/// RepVGG as it is trained: `stage0`, `stage1.0`, `stage1.1` … `stage4.0`, `fc`; RGB as (x / 255 - mean) / deviation.
/// `repvgg<repvgg_a0>` is RepVGG-A0, `repvgg<repvgg_b2g4, qarepvgg_blocks>` QARepVGG-B2g4, and
/// `repvgg<repvgg_a0, plain_blocks>` what the first becomes when it is deployed.
template <repvgg_widths Widths, class Blocks = repvgg_blocks, int Resolution = 224, int Classes = 1000>
struct repvgg final : network<decltype(detail::repvgg_body<Blocks, Widths, Resolution, Classes>())> {};

namespace detail {
template <class Blocks>
constexpr auto repvgg_small_body() {
    return input<32, 32, 3>                                    //
           | Blocks::template block<"block0", 3, 32, 1, 1>()   //
           | Blocks::template block<"block1", 32, 32, 2, 1>()  //
           | Blocks::template block<"block2", 32, 32, 1, 1>()  //
           | Blocks::template block<"block3", 32, 64, 2, 1>()  //
           | Blocks::template block<"block4", 64, 64, 1, 1>()  //
           | Blocks::template block<"block5", 64, 64, 1, 1>()  //
           | Blocks::template block<"block6", 64, 128, 2, 1>() //
           | Blocks::template block<"block7", 128, 128, 1, 1>() | global_average_pool | named<"fc">(dense<10>);
}
} // namespace detail

/// A RepVGG in small, of eight blocks for 32 x 32 images: `block0` … `block7`, `fc`.
template <class Blocks = repvgg_blocks>
struct repvgg_small final : network<decltype(detail::repvgg_small_body<Blocks>())> {};

} // namespace statiq::networks
