// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/chain.hpp>
#include <statiq/graph/label.hpp>
#include <statiq/graph/layer.hpp>
#include <statiq/graph/sequence.hpp>
#include <statiq/numeric/number.hpp>

#include <cstddef>
#include <type_traits>

namespace statiq {

/// Branches over one input, joined to one tensor.
/// @tparam Op the operation that joins them
template <class Op, class Branches, std::size_t Size>
struct joined_part : part_of_size<Size> {};

/// A part under a name: its layers' weights, reports and errors carry it.
template <label Name, class Part>
struct scope : part_of_size<Part::size> {};

/// A part whose layers use these number formats.
template <layer_numbers Numbers, class Part>
struct with_numbers : part_of_size<Part::size> {};

/// A part whose layers have these defaults.
template <layer_defaults Defaults, class Part>
struct defaulted : part_of_size<Part::size> {};

/// The branch that does nothing.
struct identity_part : part_of_size<0> {};
inline constexpr identity_part identity{};

/// Continues from an earlier label instead of the previous layer: from the last layer so far whose name is the label or
/// starts with it and a dot (so a batch norm that is named after its convolution belongs to it).
template <label Name>
struct reference_part : part_of_size<0> {};
template <label Name>
inline constexpr reference_part<Name> from{};

/// Names layers whose values are outputs of the network, besides that of its last layer: as `from`, by the labels of
/// earlier layers or scopes. It continues from the layer before it.
template <label... Names>
struct outputs_part : part_of_size<0> {
    static_assert(sizeof...(Names) >= 1 && sizeof...(Names) <= max_outputs, "statiq: outputs names 1 to 8 layers");
};
template <label... Names>
inline constexpr outputs_part<Names...> outputs{};

namespace detail {
template <class T>
struct is_part : std::false_type {};
template <class W, class... O>
struct is_part<layer<W, O...>> : std::true_type {};
template <class... R>
struct is_part<chain<R...>> : std::true_type {};
template <class J, class B, std::size_t N>
struct is_part<joined_part<J, B, N>> : std::true_type {};
template <label L, class P>
struct is_part<scope<L, P>> : std::true_type {};
template <layer_numbers Q, class P>
struct is_part<with_numbers<Q, P>> : std::true_type {};
template <layer_defaults D, class P>
struct is_part<defaulted<D, P>> : std::true_type {};
template <>
struct is_part<identity_part> : std::true_type {};
template <label L>
struct is_part<reference_part<L>> : std::true_type {};
template <label... L>
struct is_part<outputs_part<L...>> : std::true_type {};
} // namespace detail

/// Satisfied by everything a graph is composed of.
template <class T>
concept graph_part = detail::is_part<std::remove_cv_t<T>>::value;

/// First `front`, then `back`.
template <graph_part Front, graph_part Back>
constexpr auto operator|(const Front&, const Back&) {
    return detail::joined_chain<Front, Back>{};
}

/// Refuses what is no part.
template <class Front, class Back>
requires(graph_part<Front> != graph_part<Back>) constexpr auto operator|(const Front& front, const Back& back) {
    constexpr bool of_network = graph_type<Front> || graph_type<Back>;
    static_assert(!of_network, "statiq: a network is finished; write the layer into its body, before network<...>");
    static_assert(of_network, "statiq: | joins layers, and one side is none");
    if constexpr (graph_part<Front>)
        return front;
    else
        return back;
}

/// Branches over the same input, joined by an operation that reads two tensors or more: `join<gate>(a, b)`.
template <class Op, graph_part... Branches>
constexpr auto join(const Branches&...) {
    static_assert(Op::traits.joins, "statiq: this operation reads one tensor: write layer_of<...>");
    static_assert(sizeof...(Branches) >= 2, "statiq: add, concat and other joins have at least two branches");
    using list = sequence::list<Branches...>;
    return joined_part<Op, list, 1 + (Branches::size + ...)>{};
}

/// Gives a part a name. Its first linear layer takes the name itself, the batch norm after it `name.bn`, anything
/// else `name.<kind>`; names nest with dots. Weights are stored under these names.
template <label Name, graph_part Part>
constexpr auto named(const Part&) {
    return scope<Name, Part>{};
}

/// Refuses `named("stem", ...)`.
template <class... Arguments>
constexpr identity_part named(const Arguments&...) {
    static_assert(sizeof...(Arguments) != sizeof...(Arguments),
                  "statiq: a label stands in angle brackets: named<\"stem\">(conv<8> | relu)");
    return {};
}

/// Gives a part's layers these defaults for what they leave open; most networks of PyTorch's are declared as
/// `with_defaults<pytorch>(input<...> | ...)`. The inner of two decides.
template <layer_defaults Defaults, graph_part Part>
constexpr auto with_defaults(const Part&) {
    return defaulted<Defaults, Part>{};
}

/// Gives a part's layers a weight format (`with<weight4>(dense<10>)`), or weight and activation formats.
template <number_type Weight, graph_part Part>
constexpr auto with(const Part&) {
    static_assert(detail::check_number_type<Weight>::passed);
    constexpr bool floating = Weight::format.floating;
    return with_numbers<layer_numbers{.chosen_weight = true, .chosen_activation = floating, .weight = Weight::format},
                        Part>{};
}
template <number_type Weight, number_type Activation, graph_part Part>
constexpr auto with(const Part&) {
    static_assert(detail::check_number_type<Weight>::passed && detail::check_number_type<Activation>::passed);
    return with_numbers<layer_numbers{.chosen_weight = true,
                                      .chosen_activation = true,
                                      .weight = Weight::format,
                                      .activation = Activation::format},
                        Part>{};
}

} // namespace statiq
