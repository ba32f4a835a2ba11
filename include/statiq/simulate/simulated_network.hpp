// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/runnable.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/simulate/simulation.hpp>
#include <statiq/tensor/refusal.hpp>

#include <cstddef>
#include <span>

namespace statiq {

namespace detail {
struct simulated_network_words {
    static constexpr char input[] = "simulated_network: values of the input";
    static constexpr char runs[] = "simulated_network: runs at a time";
};
} // namespace detail

/// The simulated (fake-quantized) execution of a graph whose numbers are chosen: `simulation` of its nodes. It predicts
/// the integer network to one step: float sums miss the exact accumulator by less than what moves the rounded result
/// further. Samples and tensors are reals; it quantizes its input. Memory for one thread is taken at construction, for
/// more by `reserve` or the first run that brings them; otherwise running allocates nothing. For one thread at a time;
/// copies are independent.
template <rewritten_graph Q, requantization_scheme Scheme = default_scheme>
class simulated_network
    : public detail::runnable<simulated_network<Q, Scheme>, Q, float, float, detail::simulated_network_words> {
    using runnable = detail::runnable<simulated_network<Q, Scheme>, Q, float, float, detail::simulated_network_words>;

  public:
    explicit simulated_network(const quantized_parameters<Q>& from) : simulation_(Q::nodes, from.layers) {}

    /// Takes scratch memory for so many threads, if there is none.
    void reserve(std::size_t threads) { simulation_.reserve(threads); }

  private:
    friend runnable;
    static constexpr bool memory_is_given = false;

    template <class Executor>
    Executor& begin(Executor& threads, const float*) noexcept {
        return threads;
    }
    template <std::size_t I, class Executor>
    const float* step(Executor& threads, const float* input) {
        simulation_.step(threads, I, std::span<const float>(input, input_extents<Q>.size()));
        return result<I>();
    }
    template <std::size_t I>
    [[nodiscard]] const float* result() const noexcept {
        return simulation_.tensor(I).data();
    }

    simulation<Scheme, execution_list<Q>> simulation_;
};

} // namespace statiq
