// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/chain.hpp>
#include <statiq/graph/layer_spec.hpp>
#include <statiq/graph/options.hpp>
#include <statiq/graph/vocabulary.hpp>

namespace statiq {

/// A layer of a graph: an empty value. Its type carries the word it was made by and the options it was given, so that
/// compilers print it as it was written. Calling it with options refines it: `conv<8>(kernel<3>, stride<2>)`.
/// @tparam Word a type whose static `spec` says what the word means
template <class Word, class... Options>
struct layer : part_of_size<1> {
    static constexpr layer_spec spec = [] {
        layer_spec refined = Word::spec;
        (Options::apply(refined), ...);
        return refined;
    }();

    template <class... More>
    constexpr auto operator()(More...) const {
        constexpr bool are_options = (detail::layer_option<More> && ...);
        static_assert(are_options, "statiq: a layer's parentheses hold options, and numbers stand in angle brackets: "
                                   "conv<16>(kernel<3>, stride<2>); the next layer follows with |");
        if constexpr (!are_options) {
            return *this;
        } else {
            constexpr bool once = detail::decide_once<More...>();
            constexpr bool widened = detail::widens<More...>(spec);
            static_assert(once, "statiq: two options decide the same; write one of them");
            static_assert(!widened, "statiq: pointwise<...> is 1 x 1; write conv<...>(kernel<...>) for other windows");
            static_assert((More::fits(spec) && ...), "statiq: an option does not apply to this kind of layer");
            return layer<Word, Options..., More...>{};
        }
    }

    static_assert(!spec.has_shape() || (spec.shape.height >= 1 && spec.shape.width >= 1 && spec.shape.channels >= 1),
                  "statiq: a shape has at least one row, one column and one channel");
    static_assert(!spec.is_linear() || spec.out_channels >= 1, "statiq: a layer has at least one output channel");
    static_assert(spec.pad_top >= 0 && spec.pad_bottom >= 0 && spec.pad_left >= 0 && spec.pad_right >= 0,
                  "statiq: padding is not negative");
    static_assert(spec.rows >= 1 && spec.columns >= 1, "statiq: an upsampling repeats a pixel at least once");
    static_assert(spec.permutes_axes(), "statiq: transpose names each of the axes 0, 1 and 2 once");
};

/// A layer that a program has put together: `layer_of<layer_spec{.kind = operation::dense, .out_channels = 10}>`.
template <layer_spec Spec>
inline constexpr layer<vocabulary::specified<Spec>> layer_of{};

/// The network's input, height x width x channels.
template <int Height, int Width, int Channels>
inline constexpr layer<vocabulary::input<Height, Width, Channels>> input{};

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

/// Fully connected, on a flat (1 x 1 x n) tensor.
template <int OutChannels>
inline constexpr layer<vocabulary::dense<OutChannels>> dense{};

inline constexpr layer<vocabulary::plain<operation::batch_norm>> batch_norm{};
inline constexpr layer<vocabulary::plain<operation::relu>> relu{};
inline constexpr layer<vocabulary::plain<operation::relu6>> relu6{};
inline constexpr layer<vocabulary::plain<operation::relu_n1_to_1>> relu_n1_to_1{};

/// Pools, 2 x 2 unless told; the stride is the kernel unless told; no padding unless told. An average pool divides by
/// the number of taps inside the image (TensorFlow's rule; PyTorch's with count_include_pad=False).
inline constexpr layer<vocabulary::pool<operation::max_pool>> max_pool{};
inline constexpr layer<vocabulary::pool<operation::average_pool>> average_pool{};
/// Mean over all pixels: 1 x 1 x channels.
inline constexpr layer<vocabulary::plain<operation::global_average_pool>> global_average_pool{};
/// The same values in another shape; HWC order is kept and no data moves.
template <int Height, int Width, int Channels>
inline constexpr layer<vocabulary::reshape<Height, Width, Channels>> reshape{};
/// 1 x 1 x everything, in HWC order.
inline constexpr layer<vocabulary::flatten> flatten{};
/// Axes in another order (0 height, 1 width, 2 channels): output axis i is input axis A, B, C. An image stored
/// channel first and written down as input<C, H, W> becomes HWC by transpose<1, 2, 0>.
template <int A, int B, int C>
inline constexpr layer<vocabulary::transpose<A, B, C>> transpose{};
/// Rows and columns of zeros around the image.
template <int Top, int Bottom, int Left, int Right>
inline constexpr layer<vocabulary::pad<Top, Bottom, Left, Right>> pad{};
/// Repeated along every axis on which its extent is 1, to these extents: how a vector of channels is added to an image,
/// `add(a, b | broadcast<H, W, C>)`. Sums do not broadcast by themselves, because that hides mistakes.
template <int Height, int Width, int Channels>
inline constexpr layer<vocabulary::broadcast<Height, Width, Channels>> broadcast{};
/// Each pixel repeated `Rows` times downwards and `Columns` times to the right: the nearest neighbour in a larger
/// image.
template <int Rows, int Columns = Rows>
inline constexpr layer<vocabulary::upsample<Rows, Columns>> upsample{};
/// The same values in other numbers: those of the `with<...>` around it.
inline constexpr layer<vocabulary::plain<operation::convert>> convert{};
/// Over the channels of a flat tensor. In integers: TensorFlow Lite's fixed-point definition.
inline constexpr layer<vocabulary::plain<operation::softmax>> softmax{};
/// The same in real numbers; in integers by a table of 256 exponentials, as TensorFlow Lite does on general processors.
/// The two differ by one step in some elements.
inline constexpr layer<vocabulary::table_softmax> table_softmax{};

} // namespace statiq
