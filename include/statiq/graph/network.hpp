// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/infer.hpp>

#include <type_traits>

namespace statiq {

/// A network: the static graph of a composed body. Derive a named struct from it, so that diagnostics and symbols
/// carry that name: `struct detector final : network<decltype(body)> {};`
///
/// The shapes are inferred and checked here; a graph that does not fit is refused with a type that carries the layer
/// and the numbers, for example `channel_mismatch<layer_name<'a','d','d'>, 32, 16>`.
template <graph_part Body>
struct network {
  private:
    static constexpr auto built = detail::build_graph(Body{});
    static_assert(check_graph<decltype(detail::verdict_of<built.first>())>::passed);

  public:
    /// The nodes in execution order; the last one is the output.
    static constexpr auto nodes = built.nodes;
    /// What its layers compute, each operation once.
    using operations = typename detail::operations_in<std::remove_cv_t<Body>>::type;
    /// What `outputs<...>` calls its layers, in its order; the rest is empty.
    static constexpr auto output_names = built.output_names;
};

template <graph_type G>
inline constexpr extents input_extents = G::nodes[0].out;
template <graph_type G>
inline constexpr extents output_extents = G::nodes[G::nodes.size() - 1].out;

} // namespace statiq
