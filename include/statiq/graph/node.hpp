// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/label.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/tensor/extents.hpp>
#include <statiq/tensor/window.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace statiq {

/// What a node computes.
enum class operation : std::uint8_t {
    input,
    convolution, ///< also grouped and depthwise: the groups tell
    dense,       ///< a matrix on a flat vector
    batch_norm,
    relu,
    relu6,
    relu_n1_to_1, ///< clamp to [-1, 1]
    max_pool,
    average_pool, ///< mean over the window's taps that lie inside the image
    global_average_pool,
    add,
    concat, ///< along channels
    softmax,
    reshape,   ///< HWC order kept: no data moves
    transpose, ///< of the axes of one sample
    pad,       ///< with zeros, around the image
    broadcast, ///< repeated along axes of extent 1
    convert,   ///< from one number format to another: quantize, dequantize or requantize
    upsample   ///< every pixel repeated, whole times along each axis
};

/// What is applied to an operation's result before it is stored.
enum class activation : std::uint8_t { none, relu, relu6, relu_n1_to_1 };

namespace detail {
inline constexpr std::array<std::string_view, 19> operation_names{
    "input", "convolution",  "dense",    "batch_norm",   "relu",
    "relu6", "relu_n1_to_1", "max_pool", "average_pool", "global_average_pool",
    "add",   "concat",       "softmax",  "reshape",      "transpose",
    "pad",   "broadcast",    "convert",  "upsample"};
} // namespace detail

inline constexpr std::string_view to_string(operation kind) {
    return detail::operation_names[static_cast<std::size_t>(kind)];
}
inline constexpr std::string_view to_string(activation fused) {
    constexpr std::array<std::string_view, 4> names{"", "relu", "relu6", "relu_n1_to_1"};
    return names[static_cast<std::size_t>(fused)];
}

/// The activation that an operation is; none for operations that are more.
constexpr activation activation_of(operation kind) {
    switch (kind) {
    case operation::relu:
        return activation::relu;
    case operation::relu6:
        return activation::relu6;
    case operation::relu_n1_to_1:
        return activation::relu_n1_to_1;
    default:
        return activation::none;
    }
}

namespace detail {
/// Nodes whose output integers are their input's, at the same scale and zero point.
constexpr bool keeps_numbers(operation kind) {
    return kind == operation::max_pool || kind == operation::average_pool || kind == operation::reshape ||
           kind == operation::transpose || kind == operation::pad || kind == operation::broadcast ||
           kind == operation::upsample || activation_of(kind) != activation::none;
}
} // namespace detail

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
    operation kind = operation::input;
    activation fused = activation::none;
    std::array<int, max_inputs> inputs{};
    int input_count = 0;
    extents in{}; ///< of the first input
    extents out{};
    window over{};                    ///< convolution and pools
    std::array<int, 3> axes{0, 1, 2}; ///< transpose: output axis i is input axis axes[i] of height, width, channels
    int groups = 1;
    bool has_bias = false;
    bool by_table = false; ///< softmax in integers: by a table of exponentials
    int output = 0;        ///< its place among the outputs that the network names, counted from 1; 0: none
    float epsilon = 1e-3F; ///< batch norm
    layer_numbers numbers{};
    label name{};

    [[nodiscard]] constexpr int input() const noexcept { return inputs[0]; }
    [[nodiscard]] constexpr bool is_linear() const noexcept {
        return kind == operation::convolution || kind == operation::dense;
    }
    /// The activation applied to its result: fused, or what the node itself is.
    [[nodiscard]] constexpr activation applied() const noexcept {
        return fused != activation::none ? fused : activation_of(kind);
    }
    [[nodiscard]] constexpr bool is_depthwise() const noexcept {
        return kind == operation::convolution && groups > 1 && groups == in.channels;
    }
    /// The convolution a linear node performs; a dense layer is 1 x 1 on its flattened input.
    [[nodiscard]] constexpr convolution_shape convolution() const noexcept {
        if (kind == operation::dense) return {.in = {1, 1, static_cast<int>(in.size())}, .out = out, .over = {}};
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
