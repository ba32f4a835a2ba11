// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/chain.hpp>
#include <statiq/graph/layer_spec.hpp>
#include <statiq/graph/options.hpp>

namespace statiq {

namespace vocabulary {

/// A word for an operation that needs no more.
template <class Op>
struct plain {
    using operation = Op;
    static constexpr layer_spec spec{};
};
} // namespace vocabulary

/// A layer of a graph: an empty value. Its type carries the word it was made by and the options it was given, so that
/// compilers print it as it was written. Calling it with options refines it: `conv<8>(kernel<3>, stride<2>)`.
/// @tparam Word a type whose static `spec` says what the word means, and whose `operation` what the layer computes
template <class Word, class... Options>
struct layer : part_of_size<1> {
    using operation = typename Word::operation;
    static constexpr layer_spec spec = [] {
        layer_spec refined = Word::spec;
        refined.facts = &facts_of<operation>;
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

    static_assert(spec.shape.height >= 1 && spec.shape.width >= 1 && spec.shape.channels >= 1,
                  "statiq: a shape has at least one row, one column and one channel");
    static_assert(!spec.is_linear() || spec.out_channels >= 1, "statiq: a layer has at least one output channel");
    static_assert(spec.pad_top >= 0 && spec.pad_bottom >= 0 && spec.pad_left >= 0 && spec.pad_right >= 0,
                  "statiq: padding is not negative");
    static_assert(spec.rows >= 1 && spec.columns >= 1, "statiq: an upsampling repeats a pixel at least once");
    static_assert(!operation::traits.joins, "statiq: this operation reads two tensors or more: join<...>(a, b)");
    static_assert(spec.permutes_axes(), "statiq: transpose names each of the axes 0, 1 and 2 once");
};

/// A layer that computes an operation of one's own: `layer_of<squareplus>` (docs/extending.md).
template <class Op>
inline constexpr layer<vocabulary::plain<Op>> layer_of{};

} // namespace statiq
