// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/label.hpp>
#include <statiq/graph/node.hpp>

#include <array>
#include <cstddef>

namespace statiq {

namespace detail {

/// The names that a network gave its outputs; a pass keeps the nodes' places among them, and they stay with its source.
template <graph_type G>
constexpr std::array<label, max_outputs> output_names_of() {
    if constexpr (requires { G::output_names; })
        return G::output_names;
    else if constexpr (requires { typename G::source; })
        return output_names_of<typename G::source>();
    else
        return {};
}

template <graph_type G>
constexpr int find_output(const label& name) {
    const auto names = output_names_of<G>();
    for (std::size_t k = 0; k < names.size(); ++k)
        for (std::size_t i = 0; i < node_count<G> && names[k] == name; ++i)
            if (G::nodes[i].output == static_cast<int>(k) + 1) return static_cast<int>(i);
    return -1;
}

template <graph_type G, label Name>
constexpr std::size_t required_output() {
    constexpr int index = find_output<G>(Name);
    static_assert(index >= 0, "statiq: the network names no such output; see outputs<...>");
    return static_cast<std::size_t>(index);
}

} // namespace detail

/// The node whose value is the output that `outputs<...>` named so, in the network itself and in what passes make of
/// it.
template <graph_type G, label Name>
inline constexpr std::size_t output_index = detail::required_output<G, Name>();

} // namespace statiq
