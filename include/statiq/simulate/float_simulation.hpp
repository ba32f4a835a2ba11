// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simulate/simulation.hpp>

#include <vector>

namespace statiq {

/// The float execution of a network that is data: trained (batch norm apart) or deployed. Node indices are the data's.
/// @tparam List as `simulation` takes it
template <class List = operations::library>
simulation<default_scheme, List> float_simulation(const network_data& network) {
    detail::require_sizes(network.nodes, network.parameters);
    std::vector<quantized_layer> layers(network.nodes.size());
    std::vector<node> nodes = network.nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        nodes[i].numbers = {.chosen_weight = true, .chosen_activation = true, .weight = {}, .activation = {}};
        layers[i].floating = network.parameters[i];
    }
    return simulation<default_scheme, List>(nodes, layers);
}

} // namespace statiq
