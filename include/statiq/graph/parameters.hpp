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

namespace detail {
/// Calls f(name, member, count) for each parameter tensor a node has.
template <class Layer, class F>
constexpr void for_each_tensor(const node& n, Layer& layer, F&& f) {
    const auto channels = static_cast<std::size_t>(n.out.channels);
    if (n.is_linear()) {
        f("weight", layer.weight, n.convolution().weight_count());
        if (n.has_bias) f("bias", layer.bias, channels);
    } else if (n.kind == operation::batch_norm) {
        f("gamma", layer.gamma, channels);
        f("beta", layer.beta, channels);
        f("mean", layer.mean, channels);
        f("var", layer.variance, channels);
    }
}
} // namespace detail

namespace detail {
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
        detail::for_each_tensor(G::nodes[i], blank[i], [](const char*, std::vector<float>& values, std::size_t count) {
            values.assign(count, 0.0F);
        });
        if (G::nodes[i].kind != operation::batch_norm) continue;
        blank[i].gamma.assign(blank[i].gamma.size(), 1.0F);
        blank[i].variance.assign(blank[i].variance.size(), 1.0F);
    }
    return blank;
}

} // namespace statiq
