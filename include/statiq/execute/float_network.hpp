// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/executor.hpp>
#include <statiq/execute/float_step.hpp>
#include <statiq/execute/pack_float_layer.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/graph/outputs.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/plan/memory.hpp>
#include <statiq/tensor/aligned_vector.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace statiq {

/// The float execution of a graph: trained, or deployed. Memory is taken once, at construction; running allocates
/// nothing.
template <graph_type G>
class float_network {
  public:
    using graph = G;

    explicit float_network(const parameters<G>& from) : arena_((plan.arena_bytes + sizeof(float) - 1) / sizeof(float)) {
        for (std::size_t i = 0; i < node_count<G>; ++i) layers_[i] = pack_float_layer(G::nodes[i], from[i]);
    }

    /// Runs on one sample, `input_extents<G>.size()` floats in HWC order. The result lives until the next run.
    /// @param threads run each layer's parts; the result is the same for any number of them.
    template <executor Executor, class Observe = observe_nothing>
    std::span<const float> run(Executor&& threads, const float* input, Observe&& observe = {}) noexcept {
        for_each_node<G>([&]<std::size_t I>(node_index<I> index) {
            constexpr const node& n = G::nodes[I];
            std::array<const float*, max_inputs> inputs{};
            for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
                inputs[k] = tensors_[static_cast<std::size_t>(n.inputs[k])];
            if constexpr (n.kind == operation::input) {
                tensors_[I] = input;
            } else if constexpr (n.kind == operation::reshape) {
                tensors_[I] = inputs[0];
            } else {
                float* output = arena_.data() + plan.tensors[I].offset / sizeof(float);
                detail::float_step<nests>(G::nodes.data(), n, {inputs.data(), static_cast<std::size_t>(n.input_count)},
                                          layers_[I].view(), output, threads);
                tensors_[I] = output;
            }
            observe(index, tensors_[I]);
        });
        return {tensors_.back(), output_extents<G>.size()};
    }
    template <class Observe = observe_nothing>
    std::span<const float> run(const float* input, Observe&& observe = {}) noexcept {
        return run(sequential{}, input, observe);
    }
    std::span<const float> operator()(std::span<const float> input) noexcept { return run(input.data()); }

    /// What the last run has computed of an output that `outputs<...>` names.
    template <label Name>
    [[nodiscard]] std::span<const float> output() const noexcept {
        constexpr std::size_t index = output_index<G, Name>;
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

    std::array<packed_float_layer, node_count<G>> layers_;
    aligned_vector<float> arena_;
    std::array<const float*, node_count<G>> tensors_{};
};

template <graph_type G>
float_network(const parameters<G>&) -> float_network<G>;

} // namespace statiq
