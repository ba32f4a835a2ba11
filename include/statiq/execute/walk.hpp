// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace statiq {

/// A node's index as a compile-time value.
template <std::size_t Index>
using node_index = std::integral_constant<std::size_t, Index>;

namespace detail {
template <graph_type G, std::size_t Index>
struct activation_storage {
    static constexpr number_format format = G::nodes[Index].numbers.activation;
    using type = stored_as<format.floating, format.is_signed(), (format.bytes() > 1)>;
};
} // namespace detail

/// The C++ type of a node's output values.
template <graph_type G, std::size_t Index>
using activation_storage = typename detail::activation_storage<G, Index>::type;

/// The index of a node's input number K.
template <graph_type G, std::size_t Index, std::size_t K = 0>
inline constexpr auto input_index = static_cast<std::size_t>(G::nodes[Index].inputs[K]);

/// Calls visit(node_index<0>{}), visit(node_index<1>{}) … in execution order: the one walk that float, simulated and
/// integer execution share.
template <graph_type G, class Visit>
constexpr void for_each_node(Visit&& visit) {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) { (visit(node_index<Index>{}), ...); }
    (std::make_index_sequence<node_count<G>>{});
}

/// The observer that looks at nothing. An observer of an execution is called after each node with its index and a
/// pointer to its output, valid until the next node runs: `observe(node_index<I>{}, data)`.
struct observe_nothing {
    template <class Index, class T>
    constexpr void operator()(Index, const T*) const noexcept {}
};

} // namespace statiq
