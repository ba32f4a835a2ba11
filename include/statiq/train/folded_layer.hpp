// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/tensor/weight_walk.hpp>
#include <statiq/tensor/window.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace statiq::detail {

/// Which of the trained network's layers a deployed linear layer is made of: indices of nodes, or -1.
struct folded_from {
    int linear = -1; ///< or the operation with parameters of its own
    int norm = -1;
};

/// A deployed linear layer, and where it comes from.
struct folded_source {
    convolution_shape shape{};
    folded_from from{};
    std::span<const node> trained{}; ///< the trained network's nodes

    [[nodiscard]] std::size_t linear() const noexcept { return static_cast<std::size_t>(from.linear); }
    [[nodiscard]] std::size_t norm() const noexcept { return static_cast<std::size_t>(from.norm); }
};

/// The layer's parameters with its batch norm folded by moving statistics.
inline layer_parameters folded_parameters(const folded_source& of, std::span<const layer_parameters> parameters) {
    const layer_parameters* linear = of.from.linear < 0 ? nullptr : &parameters[of.linear()];
    if (of.from.norm < 0) return *linear;
    return fold_layer(of.shape, linear, parameters[of.norm()],
                      batch_norm_scale(parameters[of.norm()], of.trained[of.norm()].epsilon));
}

/// The unfolded weights; of a batch norm that stands alone, ones.
inline std::vector<float> unfolded_weights(const folded_source& of, std::span<const layer_parameters> parameters) {
    if (of.from.linear < 0) return std::vector<float>(of.shape.weight_count(), 1.0F);
    return parameters[of.linear()].weight;
}

/// Of each output channel, the sum of weight gradients times unfolded weights.
inline std::vector<double> products_with(const folded_source& of, const std::vector<float>& weight_gradient,
                                         std::span<const layer_parameters> parameters) {
    const std::vector<float> weights = unfolded_weights(of, parameters);
    std::vector<double> products(static_cast<std::size_t>(of.shape.out.channels));
    for_each_weight(of.shape, [&](const weight_place& w) {
        products[w.channel()] += static_cast<double>(weight_gradient[w.index]) * static_cast<double>(weights[w.index]);
    });
    return products;
}

/// From the gradients of the folded layer, w' = alpha w and b' = beta + alpha (b - mean), alpha = gamma / sigma, those
/// of what it was folded of.
/// @param made of the folded layer. @param passes whether they are passed on as they are, gamma and beta having none
inline void unfold_gradients(const folded_source& of, const layer_parameters& made, bool passes,
                             std::span<const layer_parameters> parameters, std::span<layer_parameters> gradients) {
    layer_parameters* linear = of.from.linear < 0 ? nullptr : &gradients[of.linear()];
    const bool has_bias = linear != nullptr && !linear->bias.empty();
    if (of.from.norm < 0 || passes) {
        if (linear != nullptr) linear->weight = made.weight;
        if (has_bias) linear->bias = made.bias;
        return;
    }
    const layer_parameters& norm = parameters[of.norm()];
    const auto epsilon = static_cast<double>(of.trained[of.norm()].epsilon);
    const std::vector<double> alpha = batch_norm_scale(norm, of.trained[of.norm()].epsilon);
    const std::vector<double> products = products_with(of, made.weight, parameters);
    if (linear != nullptr)
        for_each_weight(of.shape, [&](const weight_place& w) {
            linear->weight[w.index] =
                static_cast<float>(alpha[w.channel()] * static_cast<double>(made.weight[w.index]));
        });
    for (std::size_t c = 0; c < alpha.size(); ++c) {
        const auto by_bias = static_cast<double>(made.bias[c]);
        const double bias = has_bias ? static_cast<double>(parameters[of.linear()].bias[c]) : 0.0;
        const double sigma = std::sqrt(static_cast<double>(norm.variance[c]) + epsilon);
        gradients[of.norm()].beta[c] = made.bias[c];
        gradients[of.norm()].gamma[c] =
            static_cast<float>((products[c] + by_bias * (bias - static_cast<double>(norm.mean[c]))) / sigma);
        if (has_bias) linear->bias[c] = static_cast<float>(alpha[c] * by_bias);
    }
}

} // namespace statiq::detail
