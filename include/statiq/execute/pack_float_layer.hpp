// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/real_call.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/tensor/aligned_vector.hpp>

#include <cstddef>
#include <vector>

namespace statiq {

/// A float node's parameters as the kernels read them, owned.
struct packed_float_layer {
    aligned_vector<float> weights;
    std::vector<float> bias;
    [[nodiscard]] detail::float_step_parameters view() const noexcept { return {weights.data(), bias.data()}; }
};

/// Packs one node's parameters; a layer without a bias gets zeros.
inline packed_float_layer pack_float_layer(const node& n, const layer_parameters& from) {
    detail::require_sizes(n, from);
    packed_float_layer packed;
    if (n.is_linear()) {
        const convolution_shape shape = n.convolution();
        packed.weights.resize(kernels::packed_weight_count<float, float>(shape));
        kernels::pack_weights<float, float>(from.weight.data(), packed.weights.data(), shape);
        packed.bias = from.bias;
        packed.bias.resize(static_cast<std::size_t>(n.out.channels));
    } else if (n.has_own_parameters()) {
        packed.weights.resize(detail::parameter_count(n));
        detail::copy_parameters(n, from, packed.weights.data());
    } else if (n.traits().normalizes) {
        const std::vector<double> alpha = batch_norm_scale(from, n.epsilon);
        packed.weights.resize(alpha.size());
        packed.bias.resize(alpha.size());
        for (std::size_t c = 0; c < alpha.size(); ++c) {
            packed.weights[c] = static_cast<float>(alpha[c]);
            packed.bias[c] =
                static_cast<float>(static_cast<double>(from.beta[c]) - alpha[c] * static_cast<double>(from.mean[c]));
        }
    }
    return packed;
}

} // namespace statiq
