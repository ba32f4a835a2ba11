// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/infer.hpp>

#include <type_traits>

namespace statiq {

namespace detail {

// A constant, because compilers explain a concept that fails at length.
template <class Body>
inline constexpr bool returns_part = requires {
    { Body{}() } -> graph_part;
};

/// What a body stands for: itself, or the part that its function returns.
template <class Body>
constexpr auto part_of() {
    if constexpr (graph_part<Body>)
        return Body{};
    else if constexpr (returns_part<Body>)
        return Body{}();
    else
        return identity;
}

} // namespace detail

/// A network: the static graph of a composed body. Derive a named struct from it, so that diagnostics and symbols
/// carry that name: `struct detector final : network<decltype(body)> {};`
///
/// The shapes are inferred and checked here; a graph that does not fit is refused with a type that carries the layer
/// and the numbers, for example `channel_mismatch<layer_name<'a','d','d'>, 32, 16>`.
/// @tparam Body the type of a part, `constexpr auto body = input<8, 8, 3> | conv<8>;`, or of a function without state
/// that returns one, `constexpr auto body = [] { return input<8, 8, 3> | conv<8>; };`. Where a compiler prints the
/// type of a part it prints every layer; a function has a short type. In a header that several sources include, the
/// function is a struct with a name, `struct body { constexpr auto operator()() const { return ...; } };`, and the
/// network is `network<body>`: each source would see a lambda, and so a network, of its own.
template <class Body>
struct network {
  private:
    static constexpr bool is_body = graph_part<Body> || detail::returns_part<Body>;
    static_assert(is_body, "statiq: network<...> takes the type of a part, or of a function that returns one, as in "
                           "network<decltype(body)>");
    using part = std::remove_cv_t<decltype(detail::part_of<Body>())>;
    static constexpr auto built = detail::build_graph(part{});
    static constexpr finding first = is_body ? built.first : finding{};
    static_assert(check_graph<decltype(detail::verdict_of<first>())>::passed);

  public:
    /// The nodes in execution order; the last one is the output.
    static constexpr auto nodes = built.nodes;
    /// What its layers compute, each operation once.
    using operations = typename detail::operations_in<part>::type;
    /// What `outputs<...>` calls its layers, in its order; the rest is empty.
    static constexpr auto output_names = built.output_names;
};

template <graph_type G>
inline constexpr extents input_extents = G::nodes[0].out;
template <graph_type G>
inline constexpr extents output_extents = G::nodes[G::nodes.size() - 1].out;

} // namespace statiq
