// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/label.hpp>
#include <statiq/graph/operation.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/tensor/extents.hpp>
#include <statiq/tensor/window.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace statiq {

/// The interval a node's result is clamped to before it is stored: relu is [0, infinity].
struct real_clamp {
    float lowest = -std::numeric_limits<float>::infinity();
    float highest = std::numeric_limits<float>::infinity();

    /// Whether there is one.
    [[nodiscard]] constexpr bool bounds() const noexcept { return *this != real_clamp{}; }
    friend constexpr bool operator==(const real_clamp&, const real_clamp&) = default;
};

inline constexpr real_clamp relu_clamp{.lowest = 0.0F};
inline constexpr real_clamp relu6_clamp{0.0F, 6.0F};
inline constexpr real_clamp relu_n1_to_1_clamp{-1.0F, 1.0F};

/// A clamp's word; empty where there is none.
inline constexpr std::string_view to_string(const real_clamp& clamp) {
    if (!clamp.bounds()) return "";
    if (clamp == relu_clamp) return "relu";
    if (clamp == relu6_clamp) return "relu6";
    return clamp == relu_n1_to_1_clamp ? "relu_n1_to_1" : "clamp";
}

/// Most tensors an `add` or `concat` joins.
inline constexpr int max_inputs = 8;
/// Most tensors that `outputs<...>` names.
inline constexpr int max_outputs = 8;

/// Number formats a layer was given by `with<...>`, or has been assigned by the pass that chooses numbers.
struct layer_numbers {
    bool chosen_weight = false;
    bool chosen_activation = false;
    number_format weight{};
    number_format activation{}; ///< of the node's output
    friend constexpr bool operator==(const layer_numbers&, const layer_numbers&) = default;
};

/// One node of a static graph, after shape inference. Nodes stand in execution order: inputs have smaller indices.
struct node {
    const operation_facts* facts = nullptr; ///< what it computes
    std::array<int, max_inputs> inputs{};
    int input_count = 0;
    extents in{}; ///< of the first input
    extents out{};
    window over{};                    ///< convolution and pools
    std::array<int, 3> axes{0, 1, 2}; ///< transpose: output axis i is input axis axes[i] of height, width, channels
    int groups = 1;
    bool has_bias = false;
    int output = 0;        ///< its place among the outputs that the network names, counted from 1; 0: none
    float epsilon = 1e-3F; ///< batch norm
    real_clamp clamp{};    ///< of its result
    layer_numbers numbers{};
    label name{};

    /// Whether it computes this operation.
    template <class Op>
    [[nodiscard]] constexpr bool is() const noexcept {
        return facts == &facts_of<Op>;
    }
    [[nodiscard]] constexpr const operation_traits& traits() const noexcept { return facts->traits; }
    [[nodiscard]] constexpr std::string_view word() const {
        return facts->word_of != nullptr ? facts->word_of(*this) : facts->word;
    }
    [[nodiscard]] constexpr int input() const noexcept { return inputs[0]; }
    [[nodiscard]] constexpr bool is_linear() const noexcept { return traits().linear; }
    [[nodiscard]] constexpr bool is_dense() const noexcept { return traits().flat; }
    [[nodiscard]] constexpr bool is_source() const noexcept { return traits().source; }
    /// Whether its operation has parameters that executions pass on unchanged.
    [[nodiscard]] constexpr bool has_own_parameters() const noexcept {
        return facts->tensor_count > 0 && !is_linear() && !traits().normalizes;
    }
    /// Whether it computes something and then clamps it.
    [[nodiscard]] constexpr bool has_fused_clamp() const noexcept { return clamp.bounds() && !traits().clamps; }
    [[nodiscard]] constexpr bool is_depthwise() const noexcept { return is_linear() && convolution().is_depthwise(); }
    /// The convolution a linear node performs; a dense layer is 1 x 1 on its flattened input.
    [[nodiscard]] constexpr convolution_shape convolution() const noexcept {
        if (is_dense()) return {.in = {1, 1, static_cast<int>(in.size())}, .out = out, .over = {}};
        return {.in = in, .out = out, .over = over, .groups = groups};
    }
    friend constexpr bool operator==(const node&, const node&) = default;
};

/// Nodes of a whole network. The last node is the output.
template <std::size_t Size>
using node_array = std::array<node, Size>;

/// Satisfied by a network and by what a pass makes of one: a type whose static `nodes` is the graph.
template <class T>
concept graph_type = requires {
    { T::nodes[0] } -> std::convertible_to<const node&>;
    { T::nodes.size() } -> std::convertible_to<std::size_t>;
};

/// The operations that a graph's nodes compute, as an `operation_list`.
template <graph_type G>
using operations_of = typename G::operations;

/// The operation that node number Index computes.
template <graph_type G, std::size_t Index>
using operation_at =
    typename detail::operation_in<detail::place_in(operations_of<G>{}, G::nodes[Index].facts), operations_of<G>>::type;

template <graph_type G>
inline constexpr std::size_t node_count = G::nodes.size();

/// Index of the node with this name, or -1.
template <graph_type G>
constexpr int find_node(std::string_view name) {
    for (std::size_t i = 0; i < G::nodes.size(); ++i)
        if (G::nodes[i].name.view() == name) return static_cast<int>(i);
    return -1;
}

} // namespace statiq
