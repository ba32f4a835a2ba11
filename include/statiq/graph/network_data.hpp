// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/parameters.hpp>
#include <statiq/tensor/refusal.hpp>

#include <vector>

namespace statiq {

/// A network as data: what analysis works on, so that an experiment over networks and settings is a loop and not an
/// instantiation a case.
struct network_data {
    std::vector<node> nodes;
    std::vector<layer_parameters> parameters; ///< one entry a node
};

template <graph_type G>
network_data as_data(const parameters<G>& from) {
    return {{G::nodes.begin(), G::nodes.end()}, {from.layers.begin(), from.layers.end()}};
}

/// The other way round: the parameters of data that was made from this graph, whose nodes are still the same.
template <graph_type G>
parameters<G> as_parameters(const network_data& from) {
    detail::require_count("as_parameters: layers", node_count<G>, from.parameters.size());
    parameters<G> to;
    for (std::size_t i = 0; i < node_count<G>; ++i) to[i] = from.parameters[i];
    return to;
}

} // namespace statiq
