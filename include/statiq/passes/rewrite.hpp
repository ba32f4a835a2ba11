// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>

#include <array>
#include <cstddef>

namespace statiq {

/// Where nodes come from after a pass: `origin[i]` is the node of the graph before whose value node i has now.
template <std::size_t Size>
using node_origins = std::array<int, Size>;

/// A graph that a pass made of another, `typename G::source`, with `G::origin` relating the two.
template <class G>
concept rewritten_graph = graph_type<G> && requires {
    typename G::source;
    { G::origin[0] } -> std::convertible_to<int>;
};

namespace detail {

/// A graph being rewritten, in arrays (a pass of types) or in vectors of the capacity (one at run time).
template <class Nodes, class Indices>
struct basic_rewriting {
    Nodes nodes{};
    Indices origin{};
    int count = 0;

    /// Index in the new graph of what an old node's value has become.
    Indices moved{};

    constexpr int append(const node& n, int from) {
        nodes[static_cast<std::size_t>(count)] = n;
        origin[static_cast<std::size_t>(count)] = from;
        return count++;
    }
    /// Appends old node `from` with its inputs redirected to the new graph.
    constexpr int keep(node n, int from) {
        redirect(n);
        const int index = append(n, from);
        moved[static_cast<std::size_t>(from)] = index;
        return index;
    }
    /// Old node `n`, number `from`, disappears into node `into` of the new graph, which now has its value.
    constexpr void absorb(const node& n, int from, int into) {
        origin[static_cast<std::size_t>(into)] = from;
        at(into).output = n.output;
        moved[static_cast<std::size_t>(from)] = into;
    }
    constexpr void redirect(node& n) const {
        for (int i = 0; i < n.input_count; ++i) {
            auto& input = n.inputs[static_cast<std::size_t>(i)];
            input = moved[static_cast<std::size_t>(input)];
        }
    }
    constexpr node& at(int index) { return nodes[static_cast<std::size_t>(index)]; }
};

template <std::size_t Capacity>
using rewriting = basic_rewriting<node_array<Capacity>, std::array<int, Capacity>>;

template <std::size_t Size, std::size_t Capacity>
constexpr node_array<Size> trimmed_nodes(const rewriting<Capacity>& r) {
    node_array<Size> nodes{};
    for (std::size_t i = 0; i < Size; ++i) nodes[i] = r.nodes[i];
    return nodes;
}
template <std::size_t Size, std::size_t Capacity>
constexpr node_origins<Size> trimmed_origins(const rewriting<Capacity>& r) {
    node_origins<Size> origins{};
    for (std::size_t i = 0; i < Size; ++i) origins[i] = r.origin[i];
    return origins;
}

/// How many nodes read each node's value; the network's outputs count as read.
template <std::size_t Size>
constexpr std::array<int, Size> count_readers(const node_array<Size>& nodes) {
    std::array<int, Size> readers{};
    for (const node& n : nodes)
        for (int i = 0; i < n.input_count; ++i)
            ++readers[static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(i)])];
    for (std::size_t i = 0; i < Size; ++i)
        if (i == Size - 1 || nodes[i].output != 0) ++readers[i];
    return readers;
}

} // namespace detail

namespace detail {
/// What a pass may put into graphs besides what is there: its `adds`, if it has them.
template <class Pass>
struct added_operations {
    using type = operation_list<>;
};
template <class Pass>
requires requires { typename Pass::adds; }
struct added_operations<Pass> {
    using type = typename Pass::adds;
};
} // namespace detail

/// The graph type a rewriting results in. `Pass::run(nodes)` returns the rewriting; a pass that appends nodes of its
/// own says which operations they have: `using adds = operation_list<operations::convolution>`.
template <class Pass, graph_type G>
struct rewritten {
  private:
    static constexpr auto result = Pass::run(G::nodes);
    static constexpr auto size = static_cast<std::size_t>(result.count);

  public:
    using source = G;
    using operations = operations_of_both<operations_of<G>, typename detail::added_operations<Pass>::type>;
    static constexpr auto nodes = detail::trimmed_nodes<size>(result);
    static constexpr auto origin = detail::trimmed_origins<size>(result);
};

} // namespace statiq
