// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/tensor/refusal.hpp>

#include <array>
#include <cstddef>
#include <vector>

namespace statiq {

/// A node's float parameters; what a node does not have stays empty.
struct layer_parameters {
    /// Convolution [out][kernel row][kernel column][in / groups]; depthwise [row][column][out]; dense [out][in].
    std::vector<float> weight;
    std::vector<float> bias; ///< [out]
    // Batch norm, each [channels]: y = gamma (x - mean) / sqrt(variance + epsilon) + beta  (P1 (9))
    std::vector<float> gamma;
    std::vector<float> beta;
    std::vector<float> mean;
    std::vector<float> variance;
    friend bool operator==(const layer_parameters&, const layer_parameters&) = default;
};

/// A network's float parameters, one entry a node. A pass that rewrites a graph rewrites these alongside. What takes
/// them refuses (`refused`) tensors that are not as large as the layer's shape says.
template <graph_type G>
struct parameters {
    std::array<layer_parameters, node_count<G>> layers{};

    layer_parameters& operator[](std::size_t index) { return layers[index]; }
    const layer_parameters& operator[](std::size_t index) const { return layers[index]; }
    friend bool operator==(const parameters&, const parameters&) = default;
};

/// What a parameter is for.
enum class parameter_kind : unsigned char {
    learned,
    state,           ///< moved by training, not learned: a moving mean
    state_of_squares ///< a moving variance: not negative
};

/// One of an operation's parameter tensors.
struct parameter_tensor {
    const char* name; ///< behind the layer's name and a dot, in files and messages
    std::vector<float> layer_parameters::*values;
    std::size_t (*count)(const node&); ///< 0: this node has none
    float blank = 0;                   ///< before anything is known of it
    parameter_kind kind = parameter_kind::learned;
};

namespace detail {
/// Calls f(name, member, count) for each parameter tensor a node has.
template <class Layer, class F>
constexpr void for_each_tensor(const node& n, Layer& layer, F&& f) {
    for (std::size_t t = 0; t < n.facts->tensor_count; ++t) {
        const parameter_tensor& tensor = n.facts->tensors[t];
        const std::size_t count = tensor.count(n);
        if (count > 0) f(tensor.name, layer.*tensor.values, count);
    }
}
} // namespace detail

namespace detail {
/// How many parameters a node has.
constexpr std::size_t parameter_count(const node& n) {
    std::size_t count = 0;
    for (std::size_t t = 0; t < n.facts->tensor_count; ++t) count += n.facts->tensors[t].count(n);
    return count;
}
/// Whether training moves parameters of an operation other than the linear ones and batch norm.
constexpr bool learns_own_parameters(const node& n) {
    if (!n.has_own_parameters()) return false;
    for (std::size_t t = 0; t < n.facts->tensor_count; ++t)
        if (n.facts->tensors[t].kind == parameter_kind::learned && n.facts->tensors[t].count(n) > 0) return true;
    return false;
}
/// All of a node's tensors, one behind the other in the operation's order.
inline void copy_parameters(const node& n, const layer_parameters& from, float* to) {
    for_each_tensor(n, from, [&to](const char*, const std::vector<float>& values, std::size_t) {
        for (const float value : values) *to++ = value;
    });
}

/// Refuses parameters that are not as many as a node's shape says.
inline void require_sizes(const node& n, const layer_parameters& from) {
    for_each_tensor(n, from, [&n](const char* tensor, const std::vector<float>& values, std::size_t count) {
        require_count(tensor, count, values.size(), n.name.view());
    });
}
template <class Nodes, class Layers>
void require_sizes(const Nodes& nodes, const Layers& layers) {
    require_count("parameters: layers", nodes.size(), layers.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) require_sizes(nodes[i], layers[i]);
}
} // namespace detail

/// Parameters of the right sizes, all zero (batch-norm scale and variance one).
template <graph_type G>
parameters<G> zero_parameters() {
    parameters<G> blank;
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        const operation_facts& facts = *G::nodes[i].facts;
        for (std::size_t t = 0; t < facts.tensor_count; ++t)
            (blank[i].*facts.tensors[t].values).assign(facts.tensors[t].count(G::nodes[i]), facts.tensors[t].blank);
    }
    return blank;
}

} // namespace statiq
