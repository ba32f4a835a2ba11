// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/node.hpp>

#include <cstddef>

namespace statiq {

/// Refuses a graph with the first layer whose operation lacks a definition.
template <class Verdict>
struct check_definitions {
    static constexpr bool passed = true;
    static_assert(Verdict::accepted,
                  "statiq: an operation lacks a definition; the type says in which layer, and which");
};

namespace detail {
/// @tparam What the definition. @tparam Lacks whether a node lacks it
template <graph_type G, class What, auto Lacks>
constexpr auto lacking_verdict() {
    constexpr int first = [] {
        for (std::size_t i = 0; i < node_count<G>; ++i)
            if (Lacks(G::nodes[i])) return static_cast<int>(i);
        return -1;
    }();
    if constexpr (first < 0) {
        return sound{};
    } else {
        constexpr label name = G::nodes[static_cast<std::size_t>(first)].name;
        return operation_lacks<spelt<name>, What>{};
    }
}

constexpr bool lacks_reals(const node& n) { return !n.facts->has_reals; }
constexpr bool lacks_gradient(const node& n) { return !n.facts->has_gradient; }

template <graph_type G>
using reals_verdict = decltype(lacking_verdict<G, definition_in_reals, lacks_reals>());
template <graph_type G>
using gradient_verdict = decltype(lacking_verdict<G, definition_of_gradient, lacks_gradient>());
} // namespace detail

} // namespace statiq
