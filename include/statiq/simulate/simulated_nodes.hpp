// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/pack_float_layer.hpp>
#include <statiq/execute/real_call.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/scratch.hpp>
#include <statiq/simulate/integers_between_reals.hpp>
#include <statiq/simulate/loss_sources.hpp>
#include <statiq/simulate/round_sums.hpp>
#include <statiq/simulate/simulated_layer.hpp>
#include <statiq/simulate/source_effects.hpp>
#include <statiq/threads/run_parts.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace statiq::detail {

/// Who computes a node: threads, and the scratch memory of the first one, with the others' behind it.
template <class Executor>
struct workers {
    Executor& threads;
    kernels::scratch_memory scratch;
};

/// The nodes of a simulation with what they compute by, and the computation of one of them, wherever its inputs lie.
template <class Scheme, class List>
class simulated_nodes {
  public:
    using node_inputs = std::array<const float*, max_inputs>;

    /// @param nodes, from, reals as `simulation` takes them
    simulated_nodes(std::span<const node> nodes, std::span<const quantized_layer> from,
                    std::span<const layer_parameters> reals)
        : nodes_(nodes.begin(), nodes.end()), layers_(simulated_layers_of<List, Scheme>(nodes_, from, reals)) {
        std::size_t widest = 0;
        for (const node& n : nodes_) widest = (std::max)(widest, n.out.size());
        integers_.reserve(widest);
        for (auto& copy : rounded_) copy.resize(widest);
    }

    [[nodiscard]] std::span<const node> all() const noexcept { return nodes_; }
    [[nodiscard]] const node& operator[](std::size_t index) const noexcept { return nodes_[index]; }
    [[nodiscard]] const affine& map_of(std::size_t index) const noexcept { return layers_[index].output; }
    void set_weights(std::size_t index, const layer_parameters& from) {
        layers_[index].integers = pack_float_layer(nodes_[index], from);
    }

    /// Prepares the weights of sets whose sources change them. @param from, reals as the constructor takes them
    void change_weights(std::span<const loss_sources> sets, std::span<const quantized_layer> from,
                        std::span<const layer_parameters> reals) {
        for (const loss_sources& set : sets) {
            if (!set.change(&loss_source::weights)) continue;
            changed_weights& made = changed_.emplace_back(changed_weights{set});
            made.layers.resize(nodes_.size());
            for (std::size_t i = 0; i < nodes_.size(); ++i)
                if (nodes_[i].is_linear())
                    made.layers[i] = pack_float_layer(nodes_[i], changed(i, set, from[i], reals));
        }
    }

    /// @param integers whether the inputs hold integers of their formats
    /// @return whether the output does
    template <class Executor>
    bool compute(workers<Executor> by, std::size_t index, node_inputs inputs, bool integers,
                 const loss_sources& sources, float* output) noexcept {
        const node& n = nodes_[index];
        if (sources.change(&loss_source::inputs)) {
            change_inputs(n, index, inputs, sources);
            integers = false;
        }
        const bool made = compute_unchanged(by, index, inputs, integers, sources, output);
        if (!sources.change(&loss_source::outputs)) return made;
        sources.apply(&loss_source::outputs, {n, n.numbers.activation, map_of(index), {output, n.out.size()}});
        return false;
    }

    /// A linear node's sums before any rounding and clamping, changed by what changes sums.
    template <class Executor>
    void compute_sums(workers<Executor> by, std::size_t index, const node_inputs& inputs, const loss_sources& sources,
                      float* output) const noexcept {
        const node& n = nodes_[index];
        compute_reals(by, without_activation(n), inputs, weights_of(index, sources), output);
        sources.apply(&loss_source::sums,
                      {n, n.numbers.activation, map_of(index), {output, n.out.size()}, layers_[index].rounding.steps});
    }

  private:
    /// Every layer's weights under a set whose sources change them.
    struct changed_weights {
        loss_sources by;
        std::vector<packed_float_layer> layers{};
    };

    [[nodiscard]] layer_parameters changed(std::size_t i, const loss_sources& set, const quantized_layer& from,
                                           std::span<const layer_parameters> reals) const {
        const node& n = nodes_[i];
        layer_parameters values;
        if (!set.takes(integer_step::integer_weights)) {
            require_count("simulation: float parameters whose changes are asked for", nodes_.size(), reals.size());
            values = reals[i];
        } else if (n.numbers.weight.floating) {
            values = from.floating;
        } else {
            values = dequantized_layer(n, from, map_of(static_cast<std::size_t>(n.input())).scale);
        }
        for (const loss_source* source : set.list())
            if (source->weights != nullptr) source->weights(n, values);
        return values;
    }
    void change_inputs(const node& n, std::size_t index, node_inputs& inputs, const loss_sources& sources) noexcept {
        for (std::size_t k = 0; k < (n.is_source() ? 1 : static_cast<std::size_t>(n.input_count)); ++k) {
            const std::size_t from = n.is_source() ? index : static_cast<std::size_t>(n.inputs[k]);
            const std::size_t size = nodes_[from].out.size();
            std::copy_n(inputs[k], size, rounded_[k].data());
            inputs[k] = rounded_[k].data();
            sources.apply(&loss_source::inputs,
                          {n, nodes_[from].numbers.activation, map_of(from), {rounded_[k].data(), size}});
        }
    }

    /// What `compute` does between changes of inputs and of outputs.
    template <class Executor>
    bool compute_unchanged(workers<Executor> by, std::size_t index, node_inputs inputs, bool integers,
                           const loss_sources& sources, float* output) noexcept {
        const node& n = nodes_[index];
        if (n.is_source() || (n.traits().converts && from_reals(n)))
            return enter(by, index, inputs[0], sources, output);
        if (is_floating(n)) {
            if (!n.is_linear() || !sources.change(&loss_source::sums)) {
                compute_reals(by, n, inputs, weights_of(index, sources), output);
                return false;
            }
            compute_sums(by, index, inputs, sources, output);
            for (std::size_t i = 0; i < n.out.size(); ++i)
                output[i] = std::clamp(output[i], n.clamp.lowest, n.clamp.highest);
            return false;
        }
        if (!integers && sources.takes(integer_step::rounded_inputs)) {
            round_inputs(by, n, inputs, sources);
            integers = sources.takes(integer_step::saturated_results);
        }
        return n.is_linear() ? compute_linear(by, index, inputs, integers, sources, output)
                             : compute_other(by, index, inputs, integers, sources, output);
    }

    static bool is_floating(const node& n) noexcept { return n.numbers.activation.floating; }
    [[nodiscard]] bool from_reals(const node& n) const noexcept {
        return is_floating(n) || is_floating(nodes_[static_cast<std::size_t>(n.input())]);
    }
    static node without_activation(node n) noexcept {
        if (n.has_fused_clamp()) n.clamp = {};
        return n;
    }
    [[nodiscard]] const packed_float_layer& weights_of(std::size_t index, const loss_sources& sources) const noexcept {
        if (nodes_[index].is_linear() && sources.change(&loss_source::weights)) {
            for (const changed_weights& one : changed_)
                if (one.by == sources) return one.layers[index];
            require_count("simulation: sources that change weights, prepared at construction", 1, 0);
        }
        const bool reals = nodes_[index].is_linear() && !sources.takes(integer_step::integer_weights);
        return reals ? layers_[index].reals : layers_[index].integers;
    }

    /// Reals at the network's input, or where float layers meet integer ones.
    template <class Executor>
    bool enter(workers<Executor> by, std::size_t index, const float* from, const loss_sources& sources,
               float* output) const noexcept {
        enter_tensor_of(by, index, from, sources, output);
        return !is_floating(nodes_[index]) && sources.takes(integer_step::rounded_inputs) &&
               sources.takes(integer_step::saturated_results);
    }
    template <class Executor>
    void enter_tensor_of(workers<Executor> by, std::size_t index, const float* from, const loss_sources& sources,
                         float* to) const noexcept {
        const node& n = nodes_[index];
        in_runs(by.threads, n.out.size(), [&](std::size_t first, std::size_t count) {
            enter_tensor(n.numbers.activation, map_of(index), sources, from + first, count, to + first);
        });
    }
    template <class Executor>
    void round_inputs(workers<Executor> by, const node& n, node_inputs& inputs, const loss_sources& sources) noexcept {
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k) {
            enter_tensor_of(by, static_cast<std::size_t>(n.inputs[k]), inputs[k], sources, rounded_[k].data());
            inputs[k] = rounded_[k].data();
        }
    }

    template <class Executor>
    bool compute_linear(workers<Executor> by, std::size_t index, const node_inputs& inputs, bool integers,
                        const loss_sources& sources, float* output) const noexcept {
        const node& n = nodes_[index];
        if (!changes_results(sources) && !sources.change(&loss_source::sums)) {
            compute_reals(by, n, inputs, weights_of(index, sources), output);
            return false;
        }
        compute_sums(by, index, inputs, sources, output);
        // Sums of integers lie on the accumulator's steps; sums of other reals are rounded to the output's alone.
        const bool sums =
            integers && sources.takes(integer_step::integer_weights) && !sources.change(&loss_source::weights);
        return finish(by, index, sums, sources, output);
    }

    template <class Executor>
    bool compute_other(workers<Executor> by, std::size_t index, const node_inputs& inputs, bool integers,
                       const loss_sources& sources, float* output) noexcept {
        const node& n = nodes_[index];
        if (integers && sources.takes(integer_step::rounded_results) &&
            sources.takes(integer_step::saturated_results) && sources.takes(integer_step::integer_bounds)) {
            integers_.template run<List, Scheme>(
                nodes_.data(), n, [this](std::size_t k) -> const affine& { return map_of(k); },
                layers_[index].constants, layers_[index].table.data(), inputs, map_of(index), output, by.threads);
            return true;
        }
        if (!changes_results(sources)) {
            compute_reals(by, n, inputs, layers_[index].integers, output);
            return false;
        }
        compute_reals(by, without_activation(n), inputs, layers_[index].integers, output);
        return finish(by, index, false, sources, output);
    }

    /// Rounds and clamps results, in place.
    /// @param sums whether they are sums that the accumulator holds
    /// @return whether they are integers of the node's format then
    template <class Executor>
    bool finish(workers<Executor> by, std::size_t index, bool sums, const loss_sources& sources,
                float* values) const noexcept {
        const node& n = nodes_[index];
        const affine& map = map_of(index);
        const bool rounds = sources.takes(integer_step::rounded_results);
        const auto channels = static_cast<std::size_t>(n.out.channels);
        in_spans(by.threads, static_cast<int>(n.out.pixels()), n.out.size(), [&](int first, int last) {
            float* part = values + static_cast<std::size_t>(first) * channels;
            const auto pixels = static_cast<std::size_t>(last - first);
            if (rounds && sums) {
                const auto [lowest, highest] = integer_bounds(n, map, sources);
                const sum_rounding<Scheme>& rounding = layers_[index].rounding;
                round_sums<Scheme>(part, pixels, channels, rounding.steps.data(), rounding.factors.data(), map, lowest,
                                   highest);
            } else if (rounds) {
                round_to_output(n, map, sources, part, pixels * channels);
            }
            clamp_reals(n, map, sources, part, pixels * channels);
        });
        return rounds && sources.takes(integer_step::saturated_results) &&
               (sources.takes(integer_step::integer_bounds) || !n.clamp.bounds());
    }

    /// Whether a result is more than what the float layer gives.
    static bool changes_results(const loss_sources& sources) noexcept {
        return sources.takes(integer_step::rounded_results) || sources.takes(integer_step::saturated_results) ||
               sources.takes(integer_step::integer_bounds);
    }
    template <class Executor>
    void compute_reals(workers<Executor> by, const node& n, const node_inputs& inputs,
                       const packed_float_layer& weights, float* output) const noexcept {
        detail::compute_reals<List>(nodes_.data(), n, inputs.data(), weights.view(), output, by.scratch, by.threads);
    }

    std::vector<node> nodes_;
    std::vector<simulated_layer<Scheme>> layers_;
    integers_between_reals integers_;
    std::array<std::vector<float>, max_inputs> rounded_;
    std::vector<changed_weights> changed_;
};

} // namespace statiq::detail
