// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/float_step.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/kernels/weights.hpp>
#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/plan/memory.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace statiq {

/// A float node's parameters as the kernels read them, owned.
struct packed_float_layer {
    std::vector<float> weights;
    std::vector<float> bias;
    [[nodiscard]] detail::float_step_parameters view() const noexcept { return {weights.data(), bias.data()}; }
};

/// Packs one node's parameters; a layer without a bias gets zeros.
inline packed_float_layer pack_float_layer(const node& n, const layer_parameters& from) {
    packed_float_layer packed;
    if (n.is_linear()) {
        const convolution_shape shape = n.convolution();
        packed.weights.resize(kernels::packed_weight_count<float, float>(shape));
        kernels::pack_weights<float, float>(from.weight.data(), packed.weights.data(), shape);
        packed.bias = from.bias;
        packed.bias.resize(static_cast<std::size_t>(n.out.channels));
    } else if (n.kind == operation::batch_norm) {
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

/// The float execution of a graph: trained, or deployed. Memory is taken once, at construction; running allocates
/// nothing.
template <graph_type G>
class float_network {
  public:
    using graph = G;

    explicit float_network(const parameters<G>& from) : arena_((plan.arena_bytes + sizeof(float) - 1) / sizeof(float)) {
        for (std::size_t i = 0; i < node_count<G>; ++i) layers_[i] = pack_float_layer(G::nodes[i], from[i]);
    }

    /// Runs on one sample, `input_extents<G>.size()` floats in HWC order. The result lives until the next run.
    template <class Observe = observe_nothing>
    std::span<const float> run(const float* input, Observe&& observe = {}) noexcept {
        for_each_node<G>([&]<std::size_t I>(node_index<I> index) {
            constexpr const node& n = G::nodes[I];
            std::array<const float*, max_inputs> inputs{};
            for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
                inputs[k] = tensors_[static_cast<std::size_t>(n.inputs[k])];
            if constexpr (n.kind == operation::input) {
                tensors_[I] = input;
            } else if constexpr (n.kind == operation::reshape) {
                tensors_[I] = inputs[0];
            } else {
                float* output = arena_.data() + plan.tensors[I].offset / sizeof(float);
                detail::float_step(G::nodes.data(), n, {inputs.data(), static_cast<std::size_t>(n.input_count)},
                                   layers_[I].view(), output);
                tensors_[I] = output;
            }
            observe(index, tensors_[I]);
        });
        return {tensors_.back(), output_extents<G>.size()};
    }
    std::span<const float> operator()(std::span<const float> input) noexcept { return run(input.data()); }

  private:
    /// Room for floats, whatever numbers `with<...>` chose for the integer network.
    static constexpr auto plan = [] {
        auto nodes = G::nodes;
        for (node& n : nodes) n.numbers.activation = float32::format;
        return detail::plan_memory(nodes);
    }();

    std::array<packed_float_layer, node_count<G>> layers_;
    std::vector<float> arena_;
    std::array<const float*, node_count<G>> tensors_{};
};

template <graph_type G>
float_network(const parameters<G>&) -> float_network<G>;

} // namespace statiq
