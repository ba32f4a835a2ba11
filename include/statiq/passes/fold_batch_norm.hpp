// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/parameters.hpp>
#include <statiq/operations/convolution.hpp>
#include <statiq/passes/rewrite.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <cmath>
#include <cstddef>
#include <optional>

namespace statiq {

namespace detail {

/// Batch norm disappears into the linear layer before it; where there is none (or somebody else reads that layer),
/// it becomes the 1 x 1 depthwise convolution that it is.
struct fold_batch_norm_pass {
    using adds = operation_list<operations::convolution>;

    template <std::size_t Size>
    static constexpr bool folds(const node_array<Size>& nodes, const std::array<int, Size>& readers, const node& n) {
        const auto before = static_cast<std::size_t>(n.input());
        return n.traits().normalizes && nodes[before].is_linear() && !nodes[before].clamp.bounds() &&
               readers[before] == 1;
    }

    template <std::size_t Size>
    static constexpr auto run(const node_array<Size>& nodes) {
        const auto readers = count_readers(nodes);
        rewriting<Size> out;
        for (std::size_t i = 0; i < Size; ++i) {
            node n = nodes[i];
            const int index = static_cast<int>(i);
            if (folds(nodes, readers, n)) {
                const int linear = out.moved[static_cast<std::size_t>(n.input())];
                out.at(linear).has_bias = true;
                out.absorb(n, index, linear);
                continue;
            }
            if (n.traits().normalizes) {
                n.facts = &facts_of<operations::convolution>;
                n.over = {};
                n.groups = n.in.channels;
                n.has_bias = true;
            }
            out.keep(n, index);
        }
        return out;
    }
};

} // namespace detail

/// The graph without batch norm.
template <graph_type G>
struct batch_norm_folded : rewritten<detail::fold_batch_norm_pass, G> {};

/// Repair of dead channels while folding (P1 section 2.3.1): a channel that is zero for every input has variance
/// zero, its scale gamma / sqrt(epsilon) is meaningless and, under one scale for the whole tensor, starves the
/// channels that matter. Channels with a variance of at most `threshold` take the mean variance of the others.
struct zero_variance_repair {
    float threshold = 1e-12F;
};

/// Batch norm's scale of each channel, alpha = gamma / sqrt(variance + epsilon) (P1 (10)).
inline std::vector<double> batch_norm_scale(const layer_parameters& norm, float epsilon,
                                            std::optional<zero_variance_repair> repair = std::nullopt) {
    double alive_sum = 0;
    std::size_t alive = 0;
    const auto dead = [&](std::size_t c) { return repair && norm.variance[c] <= repair->threshold; };
    for (std::size_t c = 0; c < norm.variance.size(); ++c) {
        if (dead(c)) continue;
        alive_sum += static_cast<double>(norm.variance[c]);
        ++alive;
    }
    std::vector<double> alpha(norm.gamma.size());
    for (std::size_t c = 0; c < alpha.size(); ++c) {
        const double variance =
            dead(c) && alive > 0 ? alive_sum / static_cast<double>(alive) : static_cast<double>(norm.variance[c]);
        alpha[c] = static_cast<double>(norm.gamma[c]) / std::sqrt(variance + static_cast<double>(epsilon));
    }
    return alpha;
}

namespace detail {
/// A linear layer that takes a batch norm's scale and shift in: w' = alpha w, b' = beta + alpha (b - mean)
/// (P1 (10)(11)). Computed in double, rounded once.
/// @param linear null: the batch norm stands alone, and scales an identity. @param shape of the layer that is made
inline layer_parameters fold_layer(const convolution_shape& shape, const layer_parameters* linear,
                                   const layer_parameters& norm, const std::vector<double>& alpha) {
    layer_parameters folded;
    folded.weight.resize(shape.weight_count());
    folded.bias.resize(alpha.size());
    for (int o = 0; o < shape.out.channels; ++o) {
        const auto c = static_cast<std::size_t>(o);
        for_each_weight_of_output(shape, o, [&](const weight_place& w) {
            const double weight = linear == nullptr ? 1.0 : static_cast<double>(linear->weight[w.index]);
            folded.weight[w.index] = static_cast<float>(alpha[c] * weight);
        });
        const double bias = linear == nullptr || linear->bias.empty() ? 0.0 : static_cast<double>(linear->bias[c]);
        folded.bias[c] = static_cast<float>(static_cast<double>(norm.beta[c]) +
                                            alpha[c] * (bias - static_cast<double>(norm.mean[c])));
    }
    return folded;
}
} // namespace detail

/// The parameters that go with `batch_norm_folded<G>`.
template <graph_type G>
parameters<batch_norm_folded<G>> fold_batch_norm(const parameters<G>& trained,
                                                 std::optional<zero_variance_repair> repair = std::nullopt) {
    using folded = batch_norm_folded<G>;
    parameters<folded> out;
    for (std::size_t i = 0; i < node_count<folded>; ++i) {
        const node& n = folded::nodes[i];
        const auto last = static_cast<std::size_t>(folded::origin[i]);
        const node& original = G::nodes[last];
        if (!original.traits().normalizes) {
            out[i] = trained[last];
            continue;
        }
        const bool alone = n.name == original.name;
        const layer_parameters* linear = alone ? nullptr : &trained[static_cast<std::size_t>(original.input())];
        out[i] = detail::fold_layer(n.convolution(), linear, trained[last],
                                    batch_norm_scale(trained[last], original.epsilon, repair));
    }
    return out;
}

} // namespace statiq
