// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network_data.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace statiq {

/// How layers are equalized.
struct equalization {
    int most_rounds = 20; ///< over all pairs; it ends sooner when nothing changes
    /// Scales are powers of two: then the float network's bits do not change (but for overflow), and ranges are equal
    /// to a factor of 2 instead of exactly.
    bool powers_of_two = true;
};

namespace detail {

/// Two linear layers between which every channel may be scaled freely.
struct layer_pair {
    std::size_t first;
    std::size_t second;
};

/// Whether scaling a channel of the input by a positive number scales that channel of the output.
constexpr bool is_homogeneous(const node& n) {
    return n.traits().homogeneous || (n.traits().clamps && n.clamp == relu_clamp);
}

inline std::vector<layer_pair> pairs_of(const std::vector<node>& nodes) {
    std::vector<int> readers(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (int k = 0; k < nodes[i].input_count; ++k)
            ++readers[static_cast<std::size_t>(nodes[i].inputs[static_cast<std::size_t>(k)])];
        if (i + 1 == nodes.size() || nodes[i].output != 0) ++readers[i];
    }
    std::vector<layer_pair> pairs;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const node& second = nodes[i];
        if (!second.is_linear() || (second.is_dense() && second.in.pixels() != 1)) continue;
        auto at = static_cast<std::size_t>(second.input());
        while (is_homogeneous(nodes[at]) && readers[at] == 1) at = static_cast<std::size_t>(nodes[at].input());
        const node& first = nodes[at];
        const bool scales = !first.clamp.bounds() || first.clamp == relu_clamp;
        if (first.is_linear() && readers[at] == 1 && scales) pairs.push_back({at, i});
    }
    return pairs;
}

/// @return whether any channel was scaled
inline bool equalize_pair(const node& a, layer_parameters& first, const node& b, layer_parameters& second,
                          const equalization& how) {
    const convolution_shape shape = a.convolution();
    const convolution_shape next = b.convolution();
    float greatest_bias = 0;
    for (const float bias : first.bias) greatest_bias = (std::max)(greatest_bias, std::abs(bias));
    bool changed = false;
    for (int c = 0; c < shape.out.channels; ++c) {
        float out = 0;
        float in = 0;
        for_each_weight_of_output(
            shape, c, [&](const weight_place& w) { out = (std::max)(out, std::abs(first.weight[w.index])); });
        for_each_weight_of_input(next, c,
                                 [&](const weight_place& w) { in = (std::max)(in, std::abs(second.weight[w.index])); });
        if (!(out > 0) || !(in > 0)) continue; // a channel without weights has no range
        double scale = std::sqrt(static_cast<double>(out) / static_cast<double>(in));
        // What a channel with hardly any weights outputs is its bias: that must not grow beyond its neighbours'.
        if (a.has_bias && greatest_bias > 0) {
            const double bias = std::abs(static_cast<double>(first.bias[static_cast<std::size_t>(c)]));
            scale = (std::max)(scale, bias / static_cast<double>(greatest_bias));
        }
        if (how.powers_of_two) scale = std::exp2(std::round(std::log2(scale)));
        if (std::abs(scale - 1) < 1e-3) continue;
        const auto divide = [scale](float& x) { x = static_cast<float>(static_cast<double>(x) / scale); };
        for_each_weight_of_output(shape, c, [&](const weight_place& w) { divide(first.weight[w.index]); });
        if (a.has_bias) divide(first.bias[static_cast<std::size_t>(c)]);
        for_each_weight_of_input(next, c, [&](const weight_place& w) {
            float& x = second.weight[w.index];
            x = static_cast<float>(static_cast<double>(x) * scale);
        });
        changed = true;
    }
    return changed;
}

} // namespace detail

/// Cross-layer equalization (Nagel et al., arXiv 1906.04721, section 4.1) of a deployed network: where only ReLUs or
/// pools stand between two linear layers, an output channel of the first may be divided by any s > 0 and its weights in
/// the second multiplied by it. s = sqrt(r1 / r2), of the channel's ranges in both, makes the ranges equal, and one
/// scale for a whole tensor wastes less. The float network stays the same function. Not across ReLU6: replace it first.
inline network_data equalize(network_data network, const equalization& how = {}) {
    const auto pairs = detail::pairs_of(network.nodes);
    for (int round = 0; round < how.most_rounds; ++round) {
        bool changed = false;
        for (const detail::layer_pair& p : pairs)
            changed |= detail::equalize_pair(network.nodes[p.first], network.parameters[p.first],
                                             network.nodes[p.second], network.parameters[p.second], how);
        if (!changed) break;
    }
    return network;
}

template <graph_type G>
parameters<G> equalize(const parameters<G>& deployed_parameters, const equalization& how = {}) {
    return as_parameters<G>(equalize(as_data(deployed_parameters), how));
}

} // namespace statiq
