// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/walk.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/outputs.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/simulate/simulation.hpp>
#include <statiq/tensor/exact_span.hpp>
#include <statiq/threads/single_run.hpp>

#include <cstddef>
#include <span>

namespace statiq {

namespace detail {
inline constexpr char simulated_network_input[] = "simulated_network: values of the input";
} // namespace detail

/// The simulated (fake-quantized) execution of a graph whose numbers are chosen: `simulation` of its nodes. It predicts
/// the integer network to one step: float sums miss the exact accumulator by less than what moves the rounded result
/// further.
template <rewritten_graph Q, requantization_scheme Scheme = default_scheme>
class simulated_network {
  public:
    using graph = Q;

    /// One sample: floats in HWC order.
    using input_span = exact_span<const float, input_extents<Q>.size(), detail::simulated_network_input>;
    using output_span = std::span<const float, output_extents<Q>.size()>;

    explicit simulated_network(const quantized_parameters<Q>& from) : simulation_(Q::nodes, from.layers) {}

    /// Runs on one sample of reals, quantizing it first. The result lives until the next run. Refused as
    /// `float_network::run` refuses.
    template <class Observe = observe_nothing>
    output_span run(input_span input, Observe&& observe = {}) noexcept {
        const detail::single_run::scope running(running_, "simulated_network: runs at a time");
        for_each_node<Q>([&]<std::size_t I>(node_index<I> index) {
            simulation_.step(I, std::span<const float, input_extents<Q>.size()>(input));
            observe(index, simulation_.tensor(I).data());
        });
        return output_span(simulation_.tensor(node_count<Q> - 1));
    }
    output_span operator()(input_span input) noexcept { return run(input); }

    /// What the last run has computed of an output that `outputs<...>` names.
    template <label Name>
    [[nodiscard]] std::span<const float> output() const noexcept {
        constexpr std::size_t index = output_index<Q, Name>;
        return simulation_.tensor(index);
    }

  private:
    simulation<Scheme, execution_list<Q>> simulation_;
    detail::single_run running_{};
};

} // namespace statiq
