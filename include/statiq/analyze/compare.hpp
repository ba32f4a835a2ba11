// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/signal_to_noise.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/passes/rewrite.hpp>
#include <statiq/tensor/refusal.hpp>
#include <statiq/tensor/samples.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace statiq {

/// One layer's line of a comparison.
struct layer_comparison {
    std::string name;
    std::string_view word{}; ///< of what it computes
    extents out{};
    signal_to_noise error;
};

namespace detail {
template <graph_type G, graph_type Q>
constexpr bool same_graph = [] {
    if constexpr (std::is_same_v<G, Q>)
        return true;
    else if constexpr (rewritten_graph<Q>)
        return std::is_same_v<typename Q::source, G>;
    else
        return false;
}();
template <graph_type G, graph_type Q>
constexpr std::size_t counterpart(std::size_t index) {
    if constexpr (rewritten_graph<Q> && !std::is_same_v<G, Q>)
        return static_cast<std::size_t>(Q::origin[index]);
    else
        return index;
}
} // namespace detail

/// Compares every layer's output of two executions over samples: powers are summed over all samples before the ratio
/// is taken. `reference` runs a graph, `other` the same graph or one a pass made of it; each is a float network, a
/// simulated network, or an `observed` integer model.
/// A set without samples, or a sample of another size than the networks', is refused (`refused`).
/// @return one line for each node of the other graph, in execution order
template <class Reference, class Other, sample_set Samples>
std::vector<layer_comparison> compare(Reference& reference, Other& other, const Samples& samples) {
    using G = typename Reference::graph;
    using Q = typename Other::graph;
    static_assert(detail::same_graph<G, Q>, "statiq: compare a graph with itself or with what a pass made of it");
    detail::require_at_least("compare: samples", 1, samples.size());
    std::vector<layer_comparison> lines(node_count<Q>);
    for (std::size_t i = 0; i < node_count<Q>; ++i)
        lines[i] = {std::string(Q::nodes[i].name.view()), Q::nodes[i].word(), Q::nodes[i].out, {}};
    std::array<std::vector<float>, node_count<G>> expected;
    for (std::size_t s = 0; s < samples.size(); ++s) {
        const std::span<const float> sample = samples[s];
        reference.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
            expected[I].assign(values, values + G::nodes[I].out.size());
        });
        other.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
            const std::vector<float>& reals = expected[detail::counterpart<G, Q>(I)];
            for (std::size_t k = 0; k < reals.size(); ++k) lines[I].error.add(reals[k], values[k]);
        });
    }
    return lines;
}

} // namespace statiq
