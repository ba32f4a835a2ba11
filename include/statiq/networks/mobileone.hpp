// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include <utility>

namespace statiq::networks {

/// MobileOne's blocks as they are trained (Vasu et al., arXiv 2206.04040): `Copies` convolutions of one kernel, beside
/// a 3 x 3 also a 1 x 1, and where input and output have the same shape a batch norm of the input; all with batch norm,
/// added, ReLU. Branches `conv0` …, `scale`, `skip`.
template <int Copies>
struct mobileone_blocks {
    static_assert(Copies >= 1 && Copies <= max_inputs - 2, "statiq: a MobileOne block has 1 to 6 copies of its kernel");

    template <label Name, int InChannels, int OutChannels, int Stride, int Branches = Copies>
    static constexpr auto square() {
        return named<Name>(sum<(InChannels == OutChannels && Stride == 1), Branches>(
                               conv<OutChannels>(kernel<3>, stride<Stride>, padding<1>),
                               scaled(pointwise<OutChannels>(stride<Stride>, padding<0>))) |
                           relu);
    }
    template <label Name, int Stride>
    static constexpr auto depthwise_square() {
        return named<Name>(sum<Stride == 1, Copies>(depthwise(stride<Stride>, padding<1>),
                                                    scaled(depthwise(kernel<1>, stride<Stride>, padding<0>))) |
                           relu);
    }
    template <label Name, int InChannels, int OutChannels>
    static constexpr auto point() {
        return named<Name>(sum<InChannels == OutChannels, Copies>(pointwise<OutChannels>) | relu);
    }

  private:
    static constexpr auto norm = batch_norm(epsilon<1e-5>);

    template <class Part>
    static constexpr auto scaled(const Part& point_part) {
        return named<"scale">(point_part | norm);
    }
    /// `Branches` copies of a convolution, the other branches, and the skip.
    template <bool Skips, int Branches, class Convolution, class... Others>
    static constexpr auto sum(const Convolution& convolution, const Others&... others) {
        return copies<Skips>(std::make_integer_sequence<int, Branches>{}, convolution, others...);
    }
    template <bool Skips, int... Copy, class Convolution, class... Others>
    static constexpr auto copies(std::integer_sequence<int, Copy...>, const Convolution& convolution,
                                 const Others&... others) {
        if constexpr (Skips)
            return add(named<label("conv") + Copy>(convolution | norm)..., others..., named<"skip">(norm));
        else
            return add(named<label("conv") + Copy>(convolution | norm)..., others...);
    }
};

namespace detail {

/// A separable pair: blocks `Index` and `Index + 1` of a stage.
template <class Blocks, int Index, int InChannels, int OutChannels, int Stride, int Pairs>
constexpr auto mobileone_pairs() {
    constexpr auto pair = Blocks::template depthwise_square<label("") + Index, Stride>() |
                          Blocks::template point<label("") + (Index + 1), InChannels, OutChannels>();
    if constexpr (Pairs == 1)
        return pair;
    else
        return pair | mobileone_pairs<Blocks, Index + 2, OutChannels, OutChannels, 1, Pairs - 1>();
}

template <class Blocks, int Resolution, int Classes>
constexpr auto mobileone_s0_body() {
    return input<Resolution, Resolution, 3>                                 //
           | Blocks::template square<"stage0", 3, 48, 2, 1>()               //
           | named<"stage1">(mobileone_pairs<Blocks, 0, 48, 48, 2, 2>())    //
           | named<"stage2">(mobileone_pairs<Blocks, 0, 48, 128, 2, 8>())   //
           | named<"stage3">(mobileone_pairs<Blocks, 0, 128, 256, 2, 10>()) //
           | named<"stage4">(mobileone_pairs<Blocks, 0, 256, 1024, 2, 1>()) //
           | global_average_pool | named<"fc">(dense<Classes>);
}

} // namespace detail

/// MobileOne-S0 as it is trained, four copies of each kernel (the first layer has one): `stage0`, `stage1.0`
/// (depthwise), `stage1.1` (1 x 1) … `stage4.1`, `fc`. Deployed, every block is one convolution of that name. RGB as (x
/// / 255 - mean) / deviation.
template <int Resolution = 224, int Classes = 1000>
struct mobileone_s0 final : network<decltype(detail::mobileone_s0_body<mobileone_blocks<4>, Resolution, Classes>())> {};

} // namespace statiq::networks
