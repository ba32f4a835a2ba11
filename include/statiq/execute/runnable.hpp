// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/walk.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/outputs.hpp>
#include <statiq/tensor/exact_span.hpp>
#include <statiq/threads/executor.hpp>
#include <statiq/threads/single_run.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace statiq::detail {

/// The calls that run a network, the same for every execution of a graph: with an executor or without, with an
/// observer or without, and the outputs by name.
///
/// An execution derives from this and has
/// - `begin(threads, input)`: refuses an input that lies in the execution's memory, and returns the executor to run on;
/// - `step<I>(threads, input)`: computes node I and returns its values;
/// - `result<I>()`: the values of node I that the last run has left;
/// - `memory_is_given`: it takes no memory for threads.
/// @tparam In, Out the values of a sample and of the result. @tparam Words for refusals: `input`, the values of a
/// sample, and `runs`, runs at a time
template <class Execution, graph_type G, class In, class Out, class Words>
class runnable {
  public:
    using graph = G;

    /// One sample in HWC order.
    using input_span = exact_span<const In, input_extents<G>.size(), Words::input>;
    using output_span = std::span<const Out, output_extents<G>.size()>;

    /// Runs on one sample. The result lives until the next run. Refused: an input of another size, or one that lies in
    /// the memory that the run writes, as the last result does; a run that begins while another one of this network is
    /// seen to be in progress.
    /// @param threads run each layer's parts; the result is the same for any number of them. An execution that owns its
    /// memory takes more for threads that it has not seen before (`reserve`); otherwise a run allocates nothing.
    /// @param observe observe(node_index<I>{}, values) is called after each node, in the order of nodes
    template <executor Executor, class Observe = observe_nothing>
    constexpr output_span run(Executor&& threads, input_span input,
                              Observe&& observe = {}) noexcept(Execution::memory_is_given ||
                                                               is_sequential<std::remove_cvref_t<Executor>>) {
        const single_run::scope running(running_, Words::runs);
        const In* const from = input.data();
        auto&& these = self().begin(threads, from);
        const Out* last = nullptr;
        for_each_node<G>([&]<std::size_t I>(node_index<I> index) {
            const auto* values = self().template step<I>(these, from);
            if constexpr (I + 1 == node_count<G>) last = values;
            observe(index, values);
        });
        return output_span(last, output_extents<G>.size());
    }
    template <class Observe = observe_nothing>
    constexpr output_span run(input_span input, Observe&& observe = {}) noexcept {
        return run(sequential{}, input, observe);
    }
    constexpr output_span operator()(input_span input) noexcept { return run(input); }

    /// What the last run has computed of an output that `outputs<...>` names; it lives as long as the result.
    template <label Name>
    [[nodiscard]] constexpr auto output() const noexcept {
        constexpr std::size_t index = output_index<G, Name>;
        const auto* values = self().template result<index>();
        return std::span<std::remove_pointer_t<decltype(values)>, G::nodes[index].out.size()>(
            values, G::nodes[index].out.size());
    }

  protected:
    constexpr runnable() = default;

  private:
    [[nodiscard]] constexpr Execution& self() noexcept { return static_cast<Execution&>(*this); }
    [[nodiscard]] constexpr const Execution& self() const noexcept { return static_cast<const Execution&>(*this); }

    single_run running_{};
};

} // namespace statiq::detail
