// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/passes/rewrite.hpp>

#include <array>
#include <cstddef>

namespace statiq {

/// What training does with a node besides computing it. A node's way back takes the gradient of its output and makes
/// those of its parameters and inputs; ways back come in the opposite order of the nodes.
struct backward_node {
    /// The node whose memory holds this one's value, and whose gradient is this one's: another one where no data moves.
    int home = 0;
    bool differentiated = false; ///< something trained lies before it or in it: its output has a gradient
    bool keeps_input = false;    ///< its way back reads what it has read
    bool keeps_output = false;   ///< its way back reads what it has written
    /// Whether the gradient of each input is wanted, and whether it is added to what a later reader has put there.
    std::array<bool, max_inputs> gives{};
    std::array<bool, max_inputs> adds{};
    /// The input whose gradient is written over the output's, or -1: they are as large, and nobody else reads it.
    int in_place = -1;
    friend constexpr bool operator==(const backward_node&, const backward_node&) = default;
};

/// What values are between the nodes.
enum class training_values : unsigned char {
    reals,   ///< activations are applied by their producers, conversions move nothing
    rounded, ///< to numbers chosen for them; what passes an activation or a range is remembered in masks
};

/// A graph made ready for training: activations applied by their producers, and the way back.
template <std::size_t Size>
struct backward_graph {
    node_array<Size> nodes{};
    std::array<backward_node, Size> steps{};
};

namespace detail {

/// Activations that alone read a layer that can clamp its own result leave the work to it.
template <std::size_t Size>
constexpr void absorb_activations(backward_graph<Size>& graph, const std::array<int, Size>& readers) {
    for (std::size_t i = 1; i < Size; ++i) {
        if (!graph.nodes[i].traits().clamps) continue;
        const auto before = static_cast<std::size_t>(graph.nodes[i].input());
        node& producer = graph.nodes[before];
        if (!producer.traits().takes_clamp || producer.clamp.bounds() || readers[before] != 1) continue;
        producer.clamp = graph.nodes[i].clamp;
        graph.steps[i].home = static_cast<int>(before);
    }
}

/// A clamp that is fused is found again from the result; a batch norm finds it from its input.
constexpr bool keeps_output_for_clamp(const node& n) { return n.clamp.bounds() && !n.traits().normalizes; }

} // namespace detail

/// Differentiates a graph.
template <std::size_t Size>
constexpr backward_graph<Size> differentiate(const node_array<Size>& nodes,
                                             training_values between = training_values::reals) {
    const bool rounds = between == training_values::rounded;
    backward_graph<Size> graph{nodes, {}};
    const auto readers = detail::count_readers(nodes);
    for (std::size_t i = 0; i < Size; ++i) graph.steps[i].home = static_cast<int>(i);
    if (!rounds) detail::absorb_activations(graph, readers);
    const auto home = [&](int index) -> int& { return graph.steps[static_cast<std::size_t>(index)].home; };

    std::array<int, Size> readers_of_home{};
    for (std::size_t i = 0; i < Size; ++i) {
        const node& n = graph.nodes[i];
        backward_node& step = graph.steps[i];
        if (n.traits().moves_no_data || (n.traits().converts && !rounds) || step.home != static_cast<int>(i))
            step.home = home(n.input());
        step.differentiated = n.is_linear() || n.traits().normalizes || detail::learns_own_parameters(n);
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k) {
            step.gives[k] = graph.steps[static_cast<std::size_t>(n.inputs[k])].differentiated;
            step.differentiated = step.differentiated || step.gives[k];
            if (step.home == static_cast<int>(i)) ++readers_of_home[static_cast<std::size_t>(home(n.inputs[k]))];
        }
        if (i + 1 == Size || n.output != 0) ++readers_of_home[static_cast<std::size_t>(step.home)];
        if (step.home != static_cast<int>(i) || !step.differentiated) continue;
        step.keeps_input = n.traits().keeps_input;
        step.keeps_output = (n.traits().keeps_output && !(rounds && n.traits().clamps)) ||
                            (!rounds && detail::keeps_output_for_clamp(n));
    }

    std::array<bool, Size> written{};
    for (std::size_t i = 0; i < Size; ++i)
        if (i + 1 == Size || nodes[i].output != 0) written[static_cast<std::size_t>(home(static_cast<int>(i)))] = true;
    for (std::size_t i = Size; i-- > 0;) {
        const node& n = graph.nodes[i];
        backward_node& step = graph.steps[i];
        if (step.home != static_cast<int>(i)) continue;
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k) {
            if (!step.gives[k]) continue;
            const auto to = static_cast<std::size_t>(home(n.inputs[k]));
            step.adds[k] = written[to];
            written[to] = true;
            if (step.in_place < 0 && n.traits().gradient_stays && readers_of_home[to] == 1)
                step.in_place = static_cast<int>(k);
        }
    }
    return graph;
}

} // namespace statiq
