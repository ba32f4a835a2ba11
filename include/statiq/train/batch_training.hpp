// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/float_step.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/plan/memory.hpp>
#include <statiq/train/backward_graph.hpp>
#include <statiq/train/batch_norm_training.hpp>
#include <statiq/train/executor_view.hpp>
#include <statiq/train/gradient_sink.hpp>
#include <statiq/train/input_gradients.hpp>
#include <statiq/train/linear_training.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace statiq {

/// The loss's gradient with respect to a node's output, for a batch.
struct output_gradient {
    std::size_t node = 0;
    std::span<const float> values;
};

namespace detail {

/// A planned graph, seen as plain arrays: one entry a node, memory for one sample.
struct planned_graph {
    std::span<const node> nodes;
    std::span<const backward_node> steps;
    std::span<const allocation> values;
    std::span<const allocation> gradients;
    std::size_t bytes_per_sample = 0;
};

/// Training's way forward and back over a batch, layer by layer, on nodes that are data. Memory is taken once. Results
/// have the same bits however many threads there are: what threads compute is divided by the shapes, and sums over
/// samples are made in their order.
class batch_training {
  public:
    batch_training(const planned_graph& of, std::size_t batch, const executor_view& threads)
        : of_(of), batch_(batch), threads_(threads), values_(of.nodes.size()), gradients_(of.nodes.size()),
          linear_(of.nodes.size()), norms_(of.nodes.size()) {
        const std::size_t floats = of.bytes_per_sample / sizeof(float) * batch;
        arena_.resize(floats + arena_alignment / sizeof(float));
        void* start = arena_.data();
        std::size_t room = arena_.size() * sizeof(float);
        std::align(arena_alignment, floats * sizeof(float), start, room);
        auto* base = static_cast<float*>(start);
        std::size_t largest = 0;
        for (std::size_t i = 0; i < of.nodes.size(); ++i) {
            const node& n = of.nodes[i];
            largest = std::max({largest, n.in.size(), n.out.size()});
            values_[i] = base + of.values[i].offset / sizeof(float) * batch;
            gradients_[i] = base + of.gradients[i].offset / sizeof(float) * batch;
            if (n.is_linear()) linear_[i].emplace(n, of.steps[i].gives[0]);
            if (n.kind == operation::batch_norm) norms_[i].emplace(n);
        }
        for (std::size_t t = 0; t < threads.concurrency(); ++t) rooms_.emplace_back(2 * largest);
        for (auto& room_of_thread : rooms_) scratch_.push_back(room_of_thread.data());
    }

    [[nodiscard]] const planned_graph& graph() const noexcept { return of_; }
    [[nodiscard]] std::size_t batch() const noexcept { return batch_; }
    [[nodiscard]] std::size_t samples() const noexcept { return samples_; }

    /// A node's outputs for the batch, one sample after the other; they last until their memory is used again.
    [[nodiscard]] const float* value(std::size_t index) const noexcept { return values_[index]; }

    /// How batch norms take part in a way forward.
    struct normalizing {
        statistics which = statistics::batch;
        bool learns = true; ///< moving statistics take the batch in
        moving_statistics_rule rule{};
    };

    /// @param input stays where it is until the way back is done. @param samples at most batch()
    /// @param observe observe(index, its values of the batch) after each node
    template <class Observe>
    void forward(const float* input, std::size_t samples, std::span<layer_parameters> parameters,
                 const normalizing& norm, Observe&& observe) {
        samples_ = samples;
        input_ = input;
        for (std::size_t i = 0; i < of_.nodes.size(); ++i) {
            const node& n = of_.nodes[i];
            if (n.kind == operation::input) continue;
            if (home(i) == i) compute(i, parameters[i], norm);
            observe(i, std::span<const float>(read(i), samples * n.out.size()));
        }
    }

    /// Computes the gradients of all parameters.
    /// @param outputs of every output the loss looks at
    void backward(std::span<const output_gradient> outputs, std::span<const layer_parameters> parameters,
                  std::span<layer_parameters> gradients) {
        for (std::size_t i = 0; i < of_.nodes.size(); ++i)
            if (is_output(i)) std::fill_n(gradients_[i], samples_ * of_.nodes[i].out.size(), 0.0F);
        for (const output_gradient& given : outputs)
            std::copy(given.values.begin(), given.values.end(), gradients_[given.node]);
        for (std::size_t i = of_.nodes.size(); i-- > 0;)
            if (of_.steps[i].differentiated && home(i) == i) step_back(i, parameters[i], gradients[i]);
    }

  private:
    [[nodiscard]] std::size_t home(std::size_t index) const noexcept {
        return static_cast<std::size_t>(of_.steps[index].home);
    }
    [[nodiscard]] bool is_output(std::size_t index) const noexcept {
        return index + 1 == of_.nodes.size() || of_.nodes[index].output != 0;
    }
    /// What readers of a node read: the caller's input, or what lies in the arena.
    [[nodiscard]] const float* read(std::size_t index) const noexcept {
        return of_.nodes[home(index)].kind == operation::input ? input_ : values_[index];
    }
    [[nodiscard]] const float* input_of(const node& n, std::size_t k) const noexcept {
        return read(static_cast<std::size_t>(n.inputs[k]));
    }

    void compute(std::size_t i, layer_parameters& parameters, const normalizing& norm) {
        const node& n = of_.nodes[i];
        if (linear_[i]) {
            linear_[i]->pack(parameters);
            linear_[i]->forward(threads_, input_of(n, 0), samples_, clamp_of(n.applied()), values_[i]);
        } else if (norms_[i]) {
            norms_[i]->forward(threads_, input_of(n, 0), samples_, norm.which, norm.learns, norm.rule, parameters,
                               values_[i]);
        } else {
            const auto count = static_cast<std::size_t>(n.input_count);
            threads_.in_shares(samples_, [&](std::size_t, std::size_t first, std::size_t last) {
                for (std::size_t s = first; s < last; ++s) {
                    std::array<const float*, max_inputs> inputs{};
                    for (std::size_t k = 0; k < count; ++k)
                        inputs[k] = input_of(n, k) + s * of_.nodes[static_cast<std::size_t>(n.inputs[k])].out.size();
                    float_step(of_.nodes.data(), n, {inputs.data(), count}, {}, values_[i] + s * n.out.size());
                }
            });
        }
    }

    void step_back(std::size_t i, const layer_parameters& parameters, layer_parameters& gradient) {
        const node& n = of_.nodes[i];
        float* given = gradients_[i];
        // A layer that clamps its own result: first back through the clamp.
        if (n.fused != activation::none && !norms_[i]) {
            const real_clamp bounds = clamp_of(n.fused);
            const std::size_t size = n.out.size();
            threads_.in_shares(samples_, [&](std::size_t, std::size_t first, std::size_t last) {
                kernels::reference::clamp_gradient(values_[i] + first * size, given + first * size,
                                                   (last - first) * size, bounds.lowest, bounds.highest,
                                                   given + first * size);
            });
        }
        if (linear_[i]) {
            linear_[i]->parameter_gradients(threads_, input_of(n, 0), given, samples_, gradient);
            if (of_.steps[i].gives[0]) linear_[i]->input_gradient(threads_, given, samples_, sink(i, 0));
        } else if (norms_[i]) {
            norms_[i]->parameter_gradients(threads_, input_of(n, 0), given, samples_, parameters, gradient);
            if (of_.steps[i].gives[0]) norms_[i]->input_gradient(threads_, input_of(n, 0), given, samples_, sink(i, 0));
        } else {
            // The one that is written over the output's gradient comes last.
            const int in_place = of_.steps[i].in_place;
            for (int k = 0; k < n.input_count; ++k)
                if (k != in_place) give(i, static_cast<std::size_t>(k));
            if (in_place >= 0) give(i, static_cast<std::size_t>(in_place));
        }
    }

    [[nodiscard]] gradient_sink sink(std::size_t i, std::size_t k) const noexcept {
        return {gradients_[static_cast<std::size_t>(of_.nodes[i].inputs[k])], of_.steps[i].adds[k], scratch_};
    }

    void give(std::size_t i, std::size_t k) const {
        const node& n = of_.nodes[i];
        if (!of_.steps[i].gives[k]) return;
        const std::size_t size = of_.nodes[static_cast<std::size_t>(n.inputs[k])].out.size();
        sink(i, k).take(threads_, samples_, size, [&](std::size_t s, float*, float* to) {
            input_gradient_step<float>(of_.nodes.data(), n, k,
                                       {.input = input_of(n, k) + s * size,
                                        .output = values_[i] + s * n.out.size(),
                                        .output_gradient = gradients_[i] + s * n.out.size()},
                                       to);
        });
    }

    planned_graph of_;
    std::size_t batch_;
    std::size_t samples_ = 0;
    executor_view threads_;
    const float* input_ = nullptr;
    std::vector<float> arena_;
    std::vector<float*> values_;
    std::vector<float*> gradients_;
    std::vector<std::optional<linear_training>> linear_;
    std::vector<std::optional<batch_norm_training>> norms_;
    std::vector<std::vector<float>> rooms_;
    std::vector<float*> scratch_;
};

} // namespace detail

} // namespace statiq
