// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/real_call.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/kernels/reference/backward/pointwise.hpp>
#include <statiq/train/batch_norm_training.hpp>
#include <statiq/train/batch_tensors.hpp>
#include <statiq/train/executor_view.hpp>
#include <statiq/train/linear_training.hpp>
#include <statiq/train/own_parameters.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace statiq::detail {

/// Training's way forward and back over a batch on reals, layer by layer, on nodes that are data.
class batch_training {
  public:
    batch_training(const planned_graph& of, std::size_t batch, const executor_view& threads)
        : tensors_(of, batch, threads), linear_(of.nodes.size()), norms_(of.nodes.size()), own_(of.nodes.size()) {
        for (std::size_t i = 0; i < of.nodes.size(); ++i) {
            if (of.nodes[i].is_linear()) linear_[i].emplace(of.nodes[i], of.steps[i].gives[0]);
            if (of.nodes[i].traits().normalizes) norms_[i].emplace(of.nodes[i]);
            if (of.nodes[i].has_own_parameters()) own_[i].emplace(of.nodes[i]);
        }
    }

    [[nodiscard]] const batch_tensors& tensors() const noexcept { return tensors_; }

    /// How batch norms take part in a way forward.
    struct normalizing {
        statistics which = statistics::batch;
        bool learns = true; ///< moving statistics take the batch in
        moving_statistics_rule rule{};
    };

    /// @param input stays where it is until the way back is done. @param samples at most the batch
    /// @param observe observe(index, its values of the batch) after each node
    template <class Observe>
    void forward(const float* input, std::size_t samples, std::span<layer_parameters> parameters,
                 const normalizing& norm, Observe&& observe) {
        tensors_.begin(input, samples);
        const auto nodes = tensors_.graph().nodes;
        for (std::size_t i = 1; i < nodes.size(); ++i) {
            if (tensors_.is_home(i)) compute(i, parameters[i], norm);
            observe(i, std::span<const float>(tensors_.read(i), samples * nodes[i].out.size()));
        }
    }

    /// Computes the gradients of all parameters.
    /// @param outputs of every output the loss looks at
    void backward(std::span<const output_gradient> outputs, std::span<const layer_parameters> parameters,
                  std::span<layer_parameters> gradients) {
        tensors_.seed(outputs);
        for (std::size_t i = tensors_.graph().nodes.size(); i-- > 0;)
            if (tensors_.graph().steps[i].differentiated && tensors_.is_home(i))
                step_back(i, parameters[i], gradients[i]);
    }

  private:
    void compute(std::size_t i, layer_parameters& parameters, const normalizing& norm) {
        const node& n = tensors_.graph().nodes[i];
        float* output = tensors_.value(i);
        if (linear_[i]) {
            linear_[i]->pack(tensors_.threads(), parameters);
            linear_[i]->forward(tensors_.threads(), tensors_.input_of(n, 0), tensors_.samples(), n.clamp, output);
        } else if (norms_[i]) {
            norms_[i]->forward(tensors_.threads(), tensors_.input_of(n, 0), tensors_.samples(), norm.which, norm.learns,
                               norm.rule, parameters, output);
        } else {
            if (own_[i]) own_[i]->take(parameters);
            tensors_.compute(n, own_values(i), output);
        }
    }

    void step_back(std::size_t i, const layer_parameters& parameters, layer_parameters& gradient) {
        const node& n = tensors_.graph().nodes[i];
        const executor_view& threads = tensors_.threads();
        const std::size_t samples = tensors_.samples();
        float* given = tensors_.gradient(i);
        // A layer that clamps its own result: first back through the clamp.
        if (n.has_fused_clamp() && !norms_[i]) {
            const real_clamp bounds = n.clamp;
            const float* output = tensors_.value(i);
            const std::size_t size = n.out.size();
            threads.in_shares(samples, [&](std::size_t, std::size_t first, std::size_t last) {
                kernels::reference::clamp_gradient(output + first * size, given + first * size, (last - first) * size,
                                                   bounds.lowest, bounds.highest, given + first * size);
            });
        }
        const bool gives = tensors_.graph().steps[i].gives[0];
        if (linear_[i]) {
            linear_[i]->parameter_gradients(threads, tensors_.input_of(n, 0), given, samples, gradient);
            if (gives) linear_[i]->input_gradient(threads, given, samples, tensors_.sink(i, 0));
        } else if (norms_[i]) {
            norms_[i]->parameter_gradients(threads, tensors_.input_of(n, 0), given, samples, parameters, gradient);
            if (gives) norms_[i]->input_gradient(threads, tensors_.input_of(n, 0), given, samples, tensors_.sink(i, 0));
        } else {
            if (own_[i]) tensors_.give_to_parameters(i, *own_[i], gradient);
            tensors_.give(i, n, own_values(i));
        }
    }

    [[nodiscard]] const float* own_values(std::size_t i) const noexcept {
        return own_[i] ? own_[i]->values() : nullptr;
    }

    batch_tensors tensors_;
    std::vector<std::optional<linear_training>> linear_;
    std::vector<std::optional<batch_norm_training>> norms_;
    std::vector<std::optional<own_parameters_training>> own_;
};

} // namespace statiq::detail
