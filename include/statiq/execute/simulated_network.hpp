// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/simulation.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/outputs.hpp>

#include <cstddef>
#include <span>

namespace statiq {

/// The simulated (fake-quantized) execution of a graph whose numbers are chosen: `simulation` of its nodes. It predicts
/// the integer network to one step: float sums miss the exact accumulator by less than what moves the rounded result
/// further.
template <rewritten_graph Q, class Scheme = float_multiplier>
class simulated_network {
  public:
    using graph = Q;

    explicit simulated_network(const quantized_parameters<Q>& from) : simulation_(Q::nodes, from.layers) {}

    /// Runs on one sample of reals, quantizing it first. The result lives until the next run.
    template <class Observe = observe_nothing>
    std::span<const float> run(const float* input, Observe&& observe = {}) noexcept {
        for_each_node<Q>([&]<std::size_t I>(node_index<I> index) {
            simulation_.step(I, input);
            observe(index, simulation_.tensor(I));
        });
        return {simulation_.tensor(node_count<Q> - 1), output_extents<Q>.size()};
    }
    std::span<const float> operator()(std::span<const float> input) noexcept { return run(input.data()); }

    /// What the last run has computed of an output that `outputs<...>` names.
    template <label Name>
    [[nodiscard]] std::span<const float> output() const noexcept {
        constexpr std::size_t index = output_index<Q, Name>;
        return {simulation_.tensor(index), Q::nodes[index].out.size()};
    }

  private:
    simulation<Scheme> simulation_;
};

} // namespace statiq
