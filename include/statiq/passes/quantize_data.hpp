// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network_data.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/tensor/refusal.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace statiq {

/// What `numbers_chosen` and `quantize_parameters` make of a deployed network, at run time.
struct quantized_data {
    std::vector<node> nodes;             ///< numbers at every node, conversions where formats meet
    std::vector<int> origin;             ///< for each the node of the deployed network whose value it computes
    std::vector<quantized_layer> layers; ///< one entry a node
    /// For each node, the deployed network's float parameters.
    std::vector<layer_parameters> reals;
};

/// Gives a deployed network's nodes their numbers.
/// @param nodes those that `with<...>` or a program gave formats keep them.
/// @param overrides of layers that are there; others are refused (`refused`). Of two for one layer the later decides.
inline quantized_data choose_numbers(std::span<const node> nodes, const number_choice& choice,
                                     std::span<const layer_override> overrides = {}) {
    detail::basic_rewriting<std::vector<node>, std::vector<int>> out{
        std::vector<node>(2 * nodes.size()), std::vector<int>(2 * nodes.size()), 0, std::vector<int>(nodes.size())};
    const std::vector<node> given(nodes.begin(), nodes.end());
    for (const layer_override& o : overrides)
        detail::require_count("choose_numbers: nodes", 1,
                              static_cast<std::size_t>(std::ranges::count(given, o.layer, &node::name)),
                              o.layer.view());
    detail::numbers_chooser{choice}.run(detail::with_overrides(given, overrides), out);
    out.nodes.resize(static_cast<std::size_t>(out.count));
    out.origin.resize(static_cast<std::size_t>(out.count));
    return {std::move(out.nodes), std::move(out.origin), {}, {}};
}

/// Why a layer cannot be computed in its numbers, as a sentence; empty when all can.
inline std::string number_complaint(const quantized_data& chosen) {
    for (const node& n : chosen.nodes) {
        const number_format& input = detail::input_format(chosen.nodes, n);
        const std::string layer = "layer '" + std::string(n.name.view()) + "': ";
        const std::string weight_bits = std::to_string(n.numbers.weight.bits);
        const std::string activation_bits = std::to_string(n.numbers.activation.bits);
        switch (detail::find_number_defect(n, input)) {
        case number_defect::none:
            break;
        case number_defect::batch_norm:
            return layer + "a batch norm is folded before the network is quantized; deploy it";
        case number_defect::activation_scales:
            return layer + "activations have one scale for the whole tensor";
        case number_defect::float_weights:
            return layer + "float weights under " + activation_bits + "-bit activations; weights there are integers";
        case number_defect::weight_groups:
            return layer + "weights in groups of " + std::to_string(n.numbers.weight.group) +
                   " under integer sums, which have one scale for each channel at most";
        case number_defect::softmax_format:
            return layer + "a softmax of " + activation_bits + " bits; it has 8, and a zero point";
        case number_defect::table_softmax_inputs:
            return layer + "a softmax by table of " + std::to_string(input.bits) + "-bit inputs; it reads at most 8";
        case number_defect::no_integers:
            return layer + std::string(n.word()) + " has no definition in integers";
        case number_defect::no_reals:
            return layer + std::string(n.word()) + " has no definition in float";
        case number_defect::no_proof:
            return layer + std::string(n.word()) + " has no proof of its sums";
        case number_defect::format:
            return layer + "formats of " + weight_bits + " and " + activation_bits +
                   " bits; there are float32, and integers of 2 to 16 bits that these can store";
        case number_defect::overflow:
            return layer + "its sums may need " + std::to_string(detail::sums_of(n, input).bits_needed()) +
                   " bits, accumulators have 32";
        }
    }
    return {};
}

/// Quantizes a deployed network: numbers, then integers.
/// @param ranges of the deployed network's nodes, one for each; refused (`refused`) where there are others
inline quantized_data quantize_data(const network_data& deployed, std::span<const range> ranges,
                                    const number_choice& choice, std::span<const layer_override> overrides = {}) {
    detail::require_sizes(deployed.nodes, deployed.parameters);
    detail::require_count("quantize_data: ranges", deployed.nodes.size(), ranges.size());
    quantized_data made = choose_numbers(deployed.nodes, choice, overrides);
    made.layers.resize(made.nodes.size());
    for (std::size_t i = 0; i < made.nodes.size(); ++i) {
        const auto old = static_cast<std::size_t>(made.origin[i]);
        made.reals.push_back(made.nodes[i].traits().converts ? layer_parameters{} : deployed.parameters[old]);
        detail::quantize_node(made.nodes, i, deployed.parameters[old], ranges[old], made.layers);
    }
    return made;
}

} // namespace statiq
