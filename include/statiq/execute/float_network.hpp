// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/own_tensors.hpp>
#include <statiq/execute/pack_float_layer.hpp>
#include <statiq/execute/real_call.hpp>
#include <statiq/execute/scratch.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/graph/lacking.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/outputs.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/plan/arena.hpp>
#include <statiq/plan/memory.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/tensor/exact_span.hpp>
#include <statiq/threads/executor.hpp>
#include <statiq/threads/single_run.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace statiq {

namespace detail {
inline constexpr char float_network_input[] = "float_network: values of the input";
} // namespace detail

/// The float execution of a graph: trained, or deployed. Memory for one thread is taken at construction, for more by
/// `reserve` or the first run that brings them; otherwise running allocates nothing. For one thread at a
/// time; copies are independent.
template <graph_type G>
class float_network {
    static_assert(check_definitions<detail::reals_verdict<G>>::passed);

  public:
    using graph = G;

    /// One sample: floats in HWC order.
    using input_span = exact_span<const float, input_extents<G>.size(), detail::float_network_input>;
    using output_span = std::span<const float, output_extents<G>.size()>;

    explicit float_network(const parameters<G>& from) : arena_((plan.arena_bytes + sizeof(float) - 1) / sizeof(float)) {
        reserve(1);
        for (std::size_t i = 0; i < node_count<G>; ++i) layers_[i] = pack_float_layer(G::nodes[i], from[i]);
    }

    /// Takes scratch memory for so many threads, if there is none.
    void reserve(std::size_t threads) {
        if (threads <= threads_) return;
        scratch_.resize(threads * scratch_size);
        threads_ = threads;
    }

    /// Runs on one sample. The result lives until the next run. Refused: an input of another size, or one that lies in
    /// the network's memory, as the last result does; a run that begins while another one of this network is seen to be
    /// in progress.
    /// @param threads run each layer's parts; the result is the same for any number of them.
    template <executor Executor, class Observe = observe_nothing>
    output_span run(Executor&& threads, input_span input,
                    Observe&& observe = {}) noexcept(detail::is_sequential<std::remove_cvref_t<Executor>>) {
        const detail::single_run::scope running(running_, "float_network: runs at a time");
        reserve(threads.concurrency());
        detail::require_apart("float_network: bytes of the input that lie in its memory", input.data(),
                              input.size() * sizeof(float), arena_.data(), arena_.size() * sizeof(float));
        for_each_node<G>([&]<std::size_t I>(node_index<I> index) {
            constexpr const node& n = G::nodes[I];
            std::array<const float*, max_inputs> inputs{};
            for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
                inputs[k] = tensors_[static_cast<std::size_t>(n.inputs[k])];
            if constexpr (n.is_source()) {
                tensors_[I] = input.data();
            } else if constexpr (n.traits().moves_no_data) {
                tensors_[I] = inputs[0];
            } else {
                float* output = arena_.data() + plan.tensors[I].offset / sizeof(float);
                detail::run_reals<operation_at<G, I>>(
                    detail::real_call<nests, std::remove_reference_t<Executor>>{G::nodes.data(),
                                                                                n,
                                                                                inputs.data(),
                                                                                layers_[I].view(),
                                                                                output,
                                                                                {scratch_.data(), scratch_size},
                                                                                threads});
                tensors_[I] = output;
            }
            observe(index, tensors_[I]);
        });
        return output_span(tensors_.back(), output_extents<G>.size());
    }
    template <class Observe = observe_nothing>
    output_span run(input_span input, Observe&& observe = {}) noexcept {
        return run(sequential{}, input, observe);
    }
    output_span operator()(input_span input) noexcept { return run(input); }

    /// What the last run has computed of an output that `outputs<...>` names. Refused before the first run.
    template <label Name>
    [[nodiscard]] std::span<const float> output() const noexcept {
        constexpr std::size_t index = output_index<G, Name>;
        detail::require_at_least("float_network: runs before an output is read", 1, tensors_[index] == nullptr ? 0 : 1);
        return {tensors_[index], G::nodes[index].out.size()};
    }

  private:
    /// Room for floats, whatever numbers `with<...>` chose for the integer network.
    static constexpr auto plan = [] {
        auto nodes = G::nodes;
        for (node& n : nodes) n.numbers.activation = float32::format;
        return detail::plan_memory(nodes);
    }();

    static constexpr kernels::nest_set nests = detail::float_nests_of(G::nodes, [](const node&) { return true; });
    static constexpr std::size_t scratch_size = detail::float_scratch_of(G::nodes);

    std::array<packed_float_layer, node_count<G>> layers_;
    aligned_vector<float> arena_;
    aligned_vector<std::uint8_t> scratch_{};
    std::size_t threads_ = 0; ///< that there is scratch memory for
    detail::own_tensors<std::array<const float*, node_count<G>>> tensors_{};
    detail::single_run running_{};
};

template <graph_type G>
float_network(const parameters<G>&) -> float_network<G>;

} // namespace statiq
