// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/lacking.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/outputs.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/threads/executor.hpp>
#include <statiq/train/batch_training.hpp>
#include <statiq/train/trainable.hpp>
#include <statiq/train/training_plan.hpp>

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace statiq {

/// A float network in training: its parameters, their gradients, and the ways forward and back over a batch. The graph
/// is differentiated, and memory planned, when it is compiled; memory is taken once, at construction.
template <graph_type G>
class training_network {
    static_assert(check_definitions<detail::gradient_verdict<G>>::passed);
    static_assert(check_definitions<detail::parameter_gradient_verdict<G>>::passed);

  public:
    using graph = G;

    /// @param batch most samples at a time. @param on what runs the work; it must outlive the network.
    template <executor E>
    training_network(parameters<G> initial, std::size_t batch, E& on, const moving_statistics_rule& rule = {})
        : values_(std::move(initial)), gradients_(zero_gradients<G>()), rule_(rule),
          machine_(detail::seen<execution_list<G>>(training_plan_of<G>), batch, executor_view(on)) {
        detail::require_sizes(G::nodes, values_.layers);
    }
    training_network(const training_network&) = delete;
    training_network& operator=(const training_network&) = delete;

    /// Bytes of values and gradients that a batch of so many samples needs.
    [[nodiscard]] static constexpr std::size_t batch_bytes(std::size_t samples) noexcept {
        return training_plan_of<G>.bytes_per_sample() * samples;
    }
    [[nodiscard]] std::size_t batch() const noexcept { return machine_.tensors().batch(); }

    /// Computes the network's outputs for some samples, `input_extents<G>.size()` floats each, side by side. Batch
    /// norms normalize as `use` has said, and learn moving statistics from the batch if by its own.
    /// @param samples a whole number of samples, 1 to batch(); must stay in memory until `backward` is done
    /// @return the last node's values, for each sample; they last until `backward`
    /// @throws std::invalid_argument when they are not
    std::span<const float> forward(std::span<const float> samples) {
        return run(samples, {statistics_, true, rule_}, [](std::size_t, std::span<const float>) {});
    }
    /// The same by moving statistics, learning nothing: what the trained network computes.
    std::span<const float> evaluate(std::span<const float> samples) {
        return run(samples, {statistics::moving, false, rule_}, [](std::size_t, std::span<const float>) {});
    }

    /// What the last way forward has computed of an output that `outputs<...>` names, for each sample.
    template <label Name>
    [[nodiscard]] std::span<const float> output() const noexcept {
        constexpr std::size_t index = output_index<G, Name>;
        return {machine_.tensors().value(index), machine_.tensors().samples() * G::nodes[index].out.size()};
    }

    /// Computes the gradients of all parameters from the loss's with respect to the last node's values, of the samples
    /// that `forward` was given. Gradients of the step before are overwritten.
    /// @throws std::invalid_argument when a gradient has not the output's values for every sample
    void backward(std::span<const float> loss_gradient) {
        const output_gradient last{node_count<G> - 1, loss_gradient};
        backward(std::span<const output_gradient>(&last, 1));
    }
    /// The same for a loss that looks at several outputs: those that `outputs<...>` names, and the last node.
    void backward(std::span<const output_gradient> outputs) {
        machine_.backward(outputs, values_.layers, gradients_.layers);
    }

    /// By which statistics `forward` normalizes from now on.
    void use(statistics which) noexcept { statistics_ = which; }

    /// The first layer, in execution order, whose output for these samples is not finite; none if all are. Learns
    /// nothing, and leaves nothing for `backward`.
    [[nodiscard]] std::optional<std::size_t> first_not_finite(std::span<const float> samples) {
        std::optional<std::size_t> first;
        run(samples, {statistics_, false, rule_}, [&](std::size_t index, std::span<const float> values) {
            for (const float x : values)
                if (!first && !std::isfinite(x)) first = index;
        });
        return first;
    }

    [[nodiscard]] const parameters<G>& values() const noexcept { return values_; }
    [[nodiscard]] const parameters<G>& gradients() const noexcept { return gradients_; }

    [[nodiscard]] std::vector<trainable> trainables() {
        return list_trainables(G::nodes, values_.layers, gradients_.layers);
    }
    [[nodiscard]] std::vector<training_state> states() { return list_moving_statistics(G::nodes, values_.layers); }
    [[nodiscard]] std::vector<training_counter> counters() { return {}; }

  private:
    template <class Observe>
    std::span<const float> run(std::span<const float> samples, const detail::batch_training::normalizing& how,
                               Observe&& observe) {
        const std::size_t count = detail::samples_in(samples, input_extents<G>.size(), batch());
        machine_.forward(samples.data(), count, values_.layers, how, observe);
        return {machine_.tensors().value(node_count<G> - 1), count * output_extents<G>.size()};
    }

    parameters<G> values_;
    parameters<G> gradients_;
    moving_statistics_rule rule_;
    statistics statistics_ = statistics::batch;
    detail::batch_training machine_;
};

} // namespace statiq
