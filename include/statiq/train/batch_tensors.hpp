// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/real_call.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/plan/memory.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/train/backward_graph.hpp>
#include <statiq/train/executor_view.hpp>
#include <statiq/train/expect_count.hpp>
#include <statiq/train/gradient_sink.hpp>
#include <statiq/train/input_gradients.hpp>
#include <statiq/train/own_parameters.hpp>
#include <statiq/train/training_plan.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
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
    std::span<const allocation> notes;
    std::size_t bytes_per_sample = 0;
    /// Of nodes that are neither linear nor batch norms: `compute_reals`, `give_gradient` and `add_parameter_gradient`
    /// for the graph's operations.
    void (*compute)(const node* nodes, const node& n, const float* const* inputs, const float* parameters,
                    float* output) = nullptr;
    void (*give_gradient)(const gradient_call<float>&) = nullptr;
    void (*add_parameter_gradient)(const gradient_call<float>&) = nullptr;
};

/// @tparam List the operations that nodes may have. @param plan constant: it is referred to
template <class List, std::size_t Size>
planned_graph seen(const training_plan<Size>& plan) {
    const std::span<const allocation> memory(plan.memory.tensors);
    return {plan.graph.nodes,
            plan.graph.steps,
            memory.first(Size),
            memory.subspan(Size, Size),
            memory.last(Size),
            plan.bytes_per_sample(),
            [](const node* nodes, const node& n, const float* const* inputs, const float* parameters, float* output) {
                compute_reals<List>(nodes, n, inputs, {.weights = parameters}, output, {});
            },
            [](const gradient_call<float>& call) { give_gradient<List>(call); },
            [](const gradient_call<float>& call) { add_parameter_gradient<List>(call); }};
}

/// The tensors of a batch on its way forward and back through a graph, and the work on nodes that are
/// neither linear nor batch norms. Memory is taken once. Results have the same bits however many threads there are:
/// what threads compute is divided by the shapes, and sums over samples are made in their order.
class batch_tensors {
  public:
    batch_tensors(const planned_graph& of, std::size_t batch, const executor_view& threads)
        : of_(of), batch_(batch), threads_(threads) {
        const std::size_t floats = of.bytes_per_sample / sizeof(float) * batch;
        arena_.resize(floats);
        base_ = arena_.data();
        std::size_t largest = 0;
        for (const node& n : of.nodes) largest = (std::max)({largest, n.in.size(), n.out.size()});
        for (std::size_t t = 0; t < threads.concurrency(); ++t) rooms_.emplace_back(2 * largest);
        for (auto& room_of_thread : rooms_) scratch_.push_back(room_of_thread.data());
    }

    [[nodiscard]] const planned_graph& graph() const noexcept { return of_; }
    [[nodiscard]] const executor_view& threads() const noexcept { return threads_; }
    [[nodiscard]] std::size_t batch() const noexcept { return batch_; }
    [[nodiscard]] std::size_t samples() const noexcept { return samples_; }

    /// @param input stays where it is until the way back is done. @param samples at most batch()
    void begin(const float* input, std::size_t samples) noexcept {
        input_ = input;
        samples_ = samples;
    }

    /// A node's outputs for the batch, one sample after the other; they last until their memory is used again. Of the
    /// input, in training on reals, nothing.
    [[nodiscard]] float* value(std::size_t index) const noexcept { return at(of_.values[index]); }
    [[nodiscard]] float* gradient(std::size_t index) const noexcept { return at(of_.gradients[index]); }
    [[nodiscard]] float* note(std::size_t index) const noexcept { return at(of_.notes[index]); }

    [[nodiscard]] bool is_home(std::size_t index) const noexcept { return home(index) == index; }
    [[nodiscard]] const float* input() const noexcept { return input_; }
    /// What readers of a node read: the caller's input, or what lies in the arena.
    [[nodiscard]] const float* read(std::size_t index) const noexcept {
        const std::size_t from = home(index);
        return of_.values[from].bytes == 0 ? input_ : value(from);
    }
    [[nodiscard]] const float* input_of(const node& n, std::size_t k) const noexcept {
        return read(static_cast<std::size_t>(n.inputs[k]));
    }
    /// One sample's inputs of a node.
    [[nodiscard]] std::array<const float*, max_inputs> inputs_of(const node& n, std::size_t sample) const noexcept {
        std::array<const float*, max_inputs> inputs{};
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
            inputs[k] = input_of(n, k) + sample * of_.nodes[static_cast<std::size_t>(n.inputs[k])].out.size();
        return inputs;
    }

    /// Computes a node that is neither linear nor a batch norm, in float.
    /// @param parameters its own, or null
    void compute(const node& n, const float* parameters, float* output) const {
        threads_.in_shares(samples_, [&](std::size_t, std::size_t first, std::size_t last) {
            for (std::size_t s = first; s < last; ++s) {
                const auto inputs = inputs_of(n, s);
                of_.compute(of_.nodes.data(), n, inputs.data(), parameters, output + s * n.out.size());
            }
        });
    }

    /// Sets the gradients of the network's outputs.
    /// @throws std::invalid_argument when one is of no output, or has not its values for every sample
    void seed(std::span<const output_gradient> outputs) const {
        for (const output_gradient& given : outputs) {
            const bool is_output = given.node + 1 == of_.nodes.size() ||
                                   (given.node < of_.nodes.size() && of_.nodes[given.node].output != 0);
            expect_count("outputs among the nodes with a gradient", 1, is_output ? 1 : 0);
            expect_count("values of an output's gradient", samples_ * of_.nodes[given.node].out.size(),
                         given.values.size());
        }
        for (std::size_t i = 0; i < of_.nodes.size(); ++i)
            if (i + 1 == of_.nodes.size() || of_.nodes[i].output != 0)
                std::fill_n(gradient(i), samples_ * of_.nodes[i].out.size(), 0.0F);
        for (const output_gradient& given : outputs)
            std::copy(given.values.begin(), given.values.end(), gradient(given.node));
    }

    [[nodiscard]] gradient_sink sink(std::size_t i, std::size_t k) const noexcept {
        return {gradient(static_cast<std::size_t>(of_.nodes[i].inputs[k])), of_.steps[i].adds[k], scratch_};
    }

    /// Makes the gradients of the inputs of node number `i`, which is neither linear nor a batch norm.
    /// @param n the node, or another one whose way back is that of the gradient as it is
    /// @param parameters its own, or null
    void give(std::size_t i, const node& n, const float* parameters) const {
        // The one that is written over the output's gradient comes last.
        const int in_place = of_.steps[i].in_place;
        for (int k = 0; k < n.input_count; ++k)
            if (k != in_place) give(i, n, parameters, static_cast<std::size_t>(k));
        if (in_place >= 0) give(i, n, parameters, static_cast<std::size_t>(in_place));
    }
    /// Writes the gradients of the own parameters of node number `i`. To be called before `give`, which may write over
    /// the gradient of its output.
    void give_to_parameters(std::size_t i, own_parameters_training& own, layer_parameters& gradient) const {
        if (of_.nodes[i].facts->has_parameter_gradient)
            own.gradients(threads_, samples_, gradient, [&](std::size_t s, float* to) {
                of_.add_parameter_gradient(call_of(i, of_.nodes[i], own.values(), 0, s, to));
            });
    }

  private:
    [[nodiscard]] float* at(const allocation& of) const noexcept { return base_ + of.offset / sizeof(float) * batch_; }
    [[nodiscard]] std::size_t home(std::size_t index) const noexcept {
        return static_cast<std::size_t>(of_.steps[index].home);
    }

    [[nodiscard]] gradient_call<float> call_of(std::size_t i, const node& n, const float* parameters, std::size_t k,
                                               std::size_t sample, float* to) const {
        return {.nodes = of_.nodes.data(),
                .n = n,
                .k = k,
                .in = of_.nodes[static_cast<std::size_t>(n.inputs[k])].out,
                .inputs = inputs_of(n, sample),
                .output = value(i) + sample * n.out.size(),
                .output_gradient = gradient(i) + sample * n.out.size(),
                .gradient = to,
                .parameters = parameters};
    }
    void give(std::size_t i, const node& n, const float* parameters, std::size_t k) const {
        if (!of_.steps[i].gives[k]) return;
        const std::size_t size = of_.nodes[static_cast<std::size_t>(n.inputs[k])].out.size();
        sink(i, k).take(threads_, samples_, size, [&](std::size_t s, float*, float* to) {
            of_.give_gradient(call_of(i, n, parameters, k, s, to));
        });
    }

    planned_graph of_;
    std::size_t batch_;
    std::size_t samples_ = 0;
    executor_view threads_;
    const float* input_ = nullptr;
    float* base_ = nullptr;
    aligned_vector<float> arena_;
    std::vector<std::vector<float>> rooms_;
    std::vector<float*> scratch_;
};

} // namespace detail

} // namespace statiq
