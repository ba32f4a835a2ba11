// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/own_tensors.hpp>
#include <statiq/execute/real_call.hpp>
#include <statiq/execute/runnable.hpp>
#include <statiq/execute/scratch.hpp>
#include <statiq/execute/thread_scratch.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/plan/arena.hpp>
#include <statiq/plan/memory.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/tensor/refusal.hpp>

#include <array>
#include <cstddef>
#include <type_traits>

namespace statiq::detail {

/// An execution all of whose tensors are float, in memory of its own. `Execution` has `parameters_of<I>()`: node I's
/// parameters as the kernels read them (`float_step_parameters`).
/// @tparam Words for refusals: `input` and `runs`; `shared`, an input's bytes in the network's memory; `unseen`, runs
/// before an output is read
template <class Execution, graph_type G, class Words>
class float_execution : public runnable<Execution, G, float, float, Words> {
  public:
    /// Takes scratch memory for so many threads, if there is none.
    void reserve(std::size_t threads) { scratch_.reserve(threads); }

  protected:
    float_execution() = default;

  private:
    friend runnable<Execution, G, float, float, Words>;
    static constexpr bool memory_is_given = false;

    template <class Executor>
    Executor& begin(Executor& threads, const float* input) {
        reserve(threads.concurrency());
        require_apart(Words::shared, input, input_extents<G>.size() * sizeof(float), arena_.data(),
                      arena_.size() * sizeof(float));
        return threads;
    }

    template <std::size_t I, class Executor>
    const float* step(Executor& threads, const float* input) noexcept {
        constexpr const node& n = G::nodes[I];
        std::array<const float*, max_inputs> inputs{};
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
            inputs[k] = tensors_[static_cast<std::size_t>(n.inputs[k])];
        if constexpr (n.is_source()) {
            tensors_[I] = input;
        } else if constexpr (n.traits().moves_no_data) {
            tensors_[I] = inputs[0];
        } else {
            float* output = arena_.data() + plan.tensors[I].offset / sizeof(float);
            run_reals<operation_at<G, I>>(real_call<nests, std::remove_reference_t<Executor>>{
                G::nodes.data(), n, inputs.data(), static_cast<Execution&>(*this).template parameters_of<I>(), output,
                scratch_.first(), threads});
            tensors_[I] = output;
        }
        return tensors_[I];
    }

    template <std::size_t I>
    [[nodiscard]] const float* result() const noexcept {
        require_at_least(Words::unseen, 1, tensors_[I] == nullptr ? 0 : 1);
        return tensors_[I];
    }

    /// Room for floats, whatever numbers `with<...>` chose for the integer network.
    static constexpr auto plan = [] {
        auto nodes = G::nodes;
        for (node& n : nodes) n.numbers.activation = float32::format;
        return plan_memory(nodes);
    }();
    static constexpr kernels::nest_set nests = float_nests_of(G::nodes, [](const node&) { return true; });

    aligned_vector<float> arena_ = aligned_vector<float>((plan.arena_bytes + sizeof(float) - 1) / sizeof(float));
    thread_scratch scratch_{float_scratch_of(G::nodes)};
    own_tensors<std::array<const float*, node_count<G>>> tensors_{};
};

} // namespace statiq::detail
