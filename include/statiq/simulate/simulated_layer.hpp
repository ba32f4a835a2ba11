// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/constants.hpp>
#include <statiq/execute/pack_float_layer.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/simulate/dequantize_layer.hpp>
#include <statiq/simulate/integers_between_reals.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace statiq::detail {

/// What a simulation reads of one node's parameters.
template <class Scheme>
struct simulated_layer {
    affine output{};
    node_constants<Scheme> constants{};
    packed_float_layer integers{}; ///< the reals that the integer weights and biases stand for
    packed_float_layer reals{};    ///< the float parameters
    sum_rounding<Scheme> rounding{};
    std::vector<float> table{};
};

/// Prepares node `i`'s layer. The outputs of `layers` are known.
template <class List, class Scheme>
void prepare_simulated_layer(std::span<const node> nodes, std::size_t i, std::span<const quantized_layer> from,
                             std::span<const layer_parameters> reals, std::span<simulated_layer<Scheme>> layers) {
    const node& n = nodes[i];
    simulated_layer<Scheme>& to = layers[i];
    const bool floating = n.numbers.activation.floating;
    if (n.traits().normalizes || n.has_own_parameters()) to.integers = pack_float_layer(n, from[i].floating);
    if (n.is_linear() && !reals.empty()) to.reals = pack_float_layer(n, reals[i]);
    if (!floating) {
        to.constants.output = to.output;
        set_clamp(n, to.output, to.constants.lowest, to.constants.highest);
        if (!n.is_linear()) {
            const auto map_of = [&](std::size_t k) -> const affine& { return layers[k].output; };
            const auto scale_of = [&](std::size_t k) { return layers[k].output.scale; };
            set_factors_of<List>(nodes, n, scale_of, to.output.scale, to.constants);
            to.table = table_of<List, Scheme>(nodes, n, map_of, to.output, &from[i].floating);
            return;
        }
    }
    if (!n.is_linear()) return;
    require_integers(n, from[i].weight.size(), from[i].weight_map.size(), from[i].bias.size());
    if (n.numbers.weight.floating) {
        to.integers = pack_float_layer(n, from[i].floating);
        return;
    }
    const auto input = static_cast<std::size_t>(n.input());
    const float input_scale = layers[input].output.scale;
    to.integers = pack_float_layer(n, dequantized_layer(n, from[i], input_scale));
    if (!floating)
        to.rounding = prepare_sums<Scheme>(n, nodes[input].numbers.activation, from[i], input_scale, to.output.scale);
}

/// @param nodes with numbers chosen, batch norm folded; their operations are in the list. @param from their integers.
/// @param reals their float parameters, or empty
template <class List, class Scheme>
std::vector<simulated_layer<Scheme>> simulated_layers_of(std::span<const node> nodes,
                                                         std::span<const quantized_layer> from,
                                                         std::span<const layer_parameters> reals) {
    require_count("simulation: layers of integers", nodes.size(), from.size());
    if (!reals.empty()) require_count("simulation: layers of reals", nodes.size(), reals.size());
    std::vector<simulated_layer<Scheme>> layers(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        require_count("simulation: operations of its list", 1, holds_operation(List{}, nodes[i].facts) ? 1 : 0,
                      nodes[i].name.view());
        require_count("simulation: definitions in float", 1, nodes[i].facts->has_reals ? 1 : 0, nodes[i].name.view());
        layers[i].output = from[i].output;
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) prepare_simulated_layer<List, Scheme>(nodes, i, from, reals, layers);
    return layers;
}

} // namespace statiq::detail
