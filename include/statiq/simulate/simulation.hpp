// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/own_tensors.hpp>
#include <statiq/execute/scratch.hpp>
#include <statiq/execute/thread_scratch.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/quantize_data.hpp>
#include <statiq/plan/arena.hpp>
#include <statiq/simulate/loss_sources.hpp>
#include <statiq/simulate/simulated_nodes.hpp>
#include <statiq/simulate/tensor_slots.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/tensor/refusal.hpp>
#include <statiq/threads/executor.hpp>
#include <statiq/threads/single_run.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace statiq {

/// The simulated (fake-quantized) execution of nodes that are known when the program runs: float tensors that hold only
/// values the integers can express. Linear layers multiply the dequantized weights and activations in float and round
/// where, and as, the integer network rounds; the other layers round as their integer definition says.
///
/// Because formats are data here, an experiment over bits or schemes is a loop, not a type a setting. With loss sources
/// switched off it goes over, step by step, into the float network. Memory for one thread is taken at construction, for
/// more by `reserve` or the first run that brings them; otherwise running allocates nothing. For one thread at a time;
/// copies are independent.
/// @tparam List the operations that nodes may have; a node of another one is refused. `execution_list<Net>` adds the
/// network's own to the library's.
template <requantization_scheme Scheme = default_scheme, class List = operations::library>
class simulation {
  public:
    /// @param nodes with numbers chosen, batch norm folded. @param from their integers.
    /// @param reals their float parameters, for loss sources without `weight`; may be empty if that is never asked for.
    simulation(std::span<const node> nodes, std::span<const quantized_layer> from,
               std::span<const layer_parameters> reals = {})
        : nodes_(nodes, from, reals), sources_(nodes.size(), loss_sources::all()),
          scratch_(detail::float_scratch_of(nodes)), tensors_(nodes.size()), integral_(nodes.size()) {
        const tensor_slots slots = share_slots(nodes);
        place_ = slots.of_node;
        for (const std::size_t size : slots.sizes) arena_.emplace_back(size);
    }

    /// @param changed sets of sources that change weights (`loss_source::weights`): weights are prepared for these, and
    /// other such sets are refused
    explicit simulation(const quantized_data& from, std::span<const loss_sources> changed = {})
        : simulation(from.nodes, from.layers, from.reals) {
        nodes_.change_weights(changed, from.layers, from.reals);
    }

    [[nodiscard]] std::span<const node> nodes() const noexcept { return nodes_.all(); }
    [[nodiscard]] const affine& map_of(std::size_t index) const noexcept { return nodes_.map_of(index); }

    /// What each node loses by. All that quantization brings unless told.
    void set_sources(const loss_sources& everywhere) { sources_.assign(sources_.size(), everywhere); }
    void set_sources(std::size_t index, const loss_sources& here) { sources_[index] = here; }

    /// Takes scratch memory for so many threads, if there is none.
    void reserve(std::size_t threads) { scratch_.reserve(threads); }

    /// Computes one node from the results of the nodes before it; `sample` is the network's input. Refused: a sample of
    /// another size, or one that lies in the simulation's memory, as the last result does.
    /// @param threads run the node's parts; the result is the same for any number of them.
    template <executor Executor>
    void step(Executor&& threads, std::size_t index,
              std::span<const float> sample) noexcept(detail::is_sequential<std::remove_cvref_t<Executor>>) {
        reserve(threads.concurrency());
        const node& n = nodes_[index];
        if (n.is_source()) require_sample(n, sample);
        if (n.traits().moves_no_data) {
            const auto from = static_cast<std::size_t>(n.input());
            tensors_[index] = tensors_[from];
            integral_[index] = integral_[from];
            return;
        }
        std::array<const float*, max_inputs> inputs{sample.data()};
        bool integers = true;
        for (std::size_t k = 0; k < count_of(n); ++k) {
            const auto from = static_cast<std::size_t>(n.inputs[k]);
            inputs[k] = tensors_[from];
            integers = integers && integral_[from];
        }
        float* output = arena_[place_[index]].data();
        integral_[index] =
            nodes_.compute(workers_of(threads), index, inputs, !n.is_source() && integers, sources_[index], output);
        tensors_[index] = output;
    }
    void step(std::size_t index, std::span<const float> sample) noexcept { step(sequential{}, index, sample); }

    /// The node's output, until a later node takes its memory. Refused before the node was computed.
    [[nodiscard]] std::span<const float> tensor(std::size_t index) const noexcept {
        detail::require_at_least("simulation: steps before a node's output is read", 1,
                                 tensors_[index] == nullptr ? 0 : 1);
        return {tensors_[index], nodes_[index].out.size()};
    }

    /// Runs on one sample of reals; the result lives until the next run. Refused as `float_network::run` refuses.
    /// @param threads run each node's parts; the result is the same for any number of them
    /// @param observe observe(index, values) is called after each node
    template <executor Executor, class Observe = observe_nothing>
    std::span<const float> run(Executor&& threads, std::span<const float> sample, Observe&& observe = {}) noexcept(
        detail::is_sequential<std::remove_cvref_t<Executor>>&& noexcept(observe(std::size_t{}, sample.data()))) {
        const detail::single_run::scope running(running_, "simulation: runs at a time");
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            step(threads, i, sample);
            observe(i, tensors_[i]);
        }
        return {tensors_.back(), nodes().back().out.size()};
    }
    template <class Observe = observe_nothing>
    std::span<const float> run(std::span<const float> sample,
                               Observe&& observe = {}) noexcept(noexcept(observe(std::size_t{}, sample.data()))) {
        return run(sequential{}, sample, observe);
    }
    std::span<const float> operator()(std::span<const float> sample) noexcept { return run(sample); }

    /// One node alone, on inputs that are reals of any value: what it makes of them with the given loss sources.
    /// @param inputs as many as the node has, each of the values its node has  @param output the node's values
    void run_alone(std::size_t index, const std::array<std::span<const float>, max_inputs>& inputs,
                   const loss_sources& sources, std::span<float> output) noexcept {
        const node& n = nodes_[index];
        std::array<const float*, max_inputs> from{inputs[0].data()};
        if (n.is_source()) detail::require_count("simulation: values of the input", n.out.size(), inputs[0].size());
        for (std::size_t k = 0; k < count_of(n); ++k) {
            detail::require_count("simulation: values of a node's input", input_size(n, k), inputs[k].size());
            from[k] = inputs[k].data();
        }
        detail::require_count("simulation: values of a node's output", n.out.size(), output.size());
        nodes_.compute(workers_of(alone), index, from, false, sources, output.data());
    }

    /// A linear node's sums before any rounding and clamping, on inputs of any value. Several threads may take sums of
    /// one simulation at once.
    void sums(std::size_t index, std::span<const float> input, const loss_sources& sources,
              std::span<float> output) const noexcept {
        const node& n = nodes_[index];
        detail::require_count("simulation: values of a node's input", input_size(n, 0), input.size());
        detail::require_count("simulation: values of a node's output", n.out.size(), output.size());
        kernels::float_stack_scratch scratch;
        nodes_.compute_sums(detail::workers<const sequential>{alone, scratch.memory()}, index, {input.data()}, sources,
                            output.data());
    }

    /// Other float parameters for a node whose sums are float.
    void set_weights(std::size_t index, const layer_parameters& from) { nodes_.set_weights(index, from); }

  private:
    static std::size_t count_of(const node& n) noexcept { return static_cast<std::size_t>(n.input_count); }
    [[nodiscard]] std::size_t input_size(const node& n, std::size_t k) const noexcept {
        return nodes_[static_cast<std::size_t>(n.inputs[k])].out.size();
    }
    template <class Executor>
    [[nodiscard]] detail::workers<Executor> workers_of(Executor& threads) noexcept {
        return {threads, scratch_.first()};
    }
    void require_sample(const node& n, std::span<const float> sample) const noexcept {
        detail::require_count("simulation: values of the input", n.out.size(), sample.size());
        for (const auto& memory : arena_)
            detail::require_apart("simulation: bytes of the input that lie in its memory", sample.data(),
                                  sample.size_bytes(), memory.data(), memory.size() * sizeof(float));
    }

    static constexpr sequential alone{};

    detail::simulated_nodes<Scheme, List> nodes_;
    std::vector<loss_sources> sources_;
    detail::thread_scratch scratch_;
    std::vector<aligned_vector<float>> arena_;
    std::vector<std::size_t> place_;
    detail::own_tensors<std::vector<const float*>> tensors_;
    std::vector<bool> integral_;
    detail::single_run running_{};
};

} // namespace statiq
