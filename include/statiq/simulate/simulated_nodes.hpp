// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/pack_float_layer.hpp>
#include <statiq/execute/real_call.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/simulate/integers_between_reals.hpp>
#include <statiq/simulate/loss_sources.hpp>
#include <statiq/simulate/round_sums.hpp>
#include <statiq/simulate/simulated_layer.hpp>
#include <statiq/simulate/source_effects.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace statiq::detail {

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

    /// @param integers whether the inputs hold integers of their formats
    /// @return whether the output does
    bool compute(std::size_t index, node_inputs inputs, bool integers, loss_sources sources, float* output) noexcept {
        const node& n = nodes_[index];
        if (n.is_source() || (n.traits().converts && from_reals(n))) return enter(index, inputs[0], sources, output);
        if (is_floating(n)) {
            compute_reals(n, inputs, weights_of(index, sources), output);
            return false;
        }
        if (!integers && sources.has(loss_source::input)) {
            round_inputs(n, inputs, sources);
            integers = sources.has(loss_source::saturation);
        }
        return n.is_linear() ? compute_linear(index, inputs, integers, sources, output)
                             : compute_other(index, inputs, integers, sources, output);
    }

    /// A linear node's sums before any rounding and clamping.
    void compute_sums(std::size_t index, const node_inputs& inputs, loss_sources sources,
                      float* output) const noexcept {
        compute_reals(without_activation(nodes_[index]), inputs, weights_of(index, sources), output);
    }

  private:
    static bool is_floating(const node& n) noexcept { return n.numbers.activation.floating; }
    [[nodiscard]] bool from_reals(const node& n) const noexcept {
        return is_floating(n) || is_floating(nodes_[static_cast<std::size_t>(n.input())]);
    }
    static node without_activation(node n) noexcept {
        if (n.has_fused_clamp()) n.clamp = {};
        return n;
    }
    [[nodiscard]] const packed_float_layer& weights_of(std::size_t index, loss_sources sources) const noexcept {
        const bool reals = nodes_[index].is_linear() && !sources.has(loss_source::weight);
        return reals ? layers_[index].reals : layers_[index].integers;
    }

    /// Reals at the network's input, or where float layers meet integer ones.
    bool enter(std::size_t index, const float* from, loss_sources sources, float* output) const noexcept {
        const node& n = nodes_[index];
        if (is_floating(n)) {
            std::copy_n(from, n.out.size(), output);
            return false;
        }
        enter_tensor(n.numbers.activation, map_of(index), sources, from, n.out.size(), output);
        return sources.has(loss_source::input) && sources.has(loss_source::saturation);
    }

    void round_inputs(const node& n, node_inputs& inputs, loss_sources sources) noexcept {
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k) {
            const auto from = static_cast<std::size_t>(n.inputs[k]);
            enter_tensor(nodes_[from].numbers.activation, map_of(from), sources, inputs[k], nodes_[from].out.size(),
                         rounded_[k].data());
            inputs[k] = rounded_[k].data();
        }
    }

    bool compute_linear(std::size_t index, const node_inputs& inputs, bool integers, loss_sources sources,
                        float* output) const noexcept {
        const node& n = nodes_[index];
        if (!changes_results(sources)) {
            compute_reals(n, inputs, weights_of(index, sources), output);
            return false;
        }
        compute_sums(index, inputs, sources, output);
        // Sums of integers lie on the accumulator's steps; sums of other reals are rounded to the output's alone.
        if (sources.has(loss_source::requantization) && integers && sources.has(loss_source::weight)) {
            const auto [lowest, highest] = integer_bounds(n, map_of(index), sources);
            const sum_rounding<Scheme>& by = layers_[index].rounding;
            round_sums<Scheme>(output, n.out.pixels(), static_cast<std::size_t>(n.out.channels), by.steps.data(),
                               by.factors.data(), map_of(index), lowest, highest);
        } else if (sources.has(loss_source::requantization)) {
            round_to_output(n, map_of(index), sources, output);
        }
        clamp_reals(n, map_of(index), sources, output);
        return holds_integers(n, sources);
    }

    bool compute_other(std::size_t index, const node_inputs& inputs, bool integers, loss_sources sources,
                       float* output) noexcept {
        const node& n = nodes_[index];
        if (integers && sources.has(loss_source::requantization) && sources.has(loss_source::saturation) &&
            sources.has(loss_source::clipping)) {
            through_integers(index, inputs, output);
            return true;
        }
        if (!changes_results(sources)) {
            compute_reals(n, inputs, layers_[index].integers, output);
            return false;
        }
        compute_reals(without_activation(n), inputs, layers_[index].integers, output);
        if (sources.has(loss_source::requantization)) round_to_output(n, map_of(index), sources, output);
        clamp_reals(n, map_of(index), sources, output);
        return holds_integers(n, sources);
    }

    /// Whether a result is more than what the float layer gives.
    static bool changes_results(loss_sources sources) noexcept {
        return sources.has(loss_source::requantization) || sources.has(loss_source::saturation) ||
               sources.has(loss_source::clipping);
    }
    /// Whether rounded and clamped results are integers of the node's format.
    static bool holds_integers(const node& n, loss_sources sources) noexcept {
        return sources.has(loss_source::requantization) && sources.has(loss_source::saturation) &&
               (sources.has(loss_source::clipping) || !n.clamp.bounds());
    }

    void compute_reals(const node& n, const node_inputs& inputs, const packed_float_layer& weights,
                       float* output) const noexcept {
        kernels::float_stack_scratch scratch; // sums of one simulation may be taken by several threads
        detail::compute_reals<List>(nodes_.data(), n, inputs.data(), weights.view(), output, scratch.memory());
    }

    void through_integers(std::size_t index, const node_inputs& reals, float* output) noexcept {
        integers_.template run<List, Scheme>(
            nodes_.data(), nodes_[index], [this](std::size_t k) -> const affine& { return map_of(k); },
            layers_[index].constants, layers_[index].table.data(), reals, map_of(index), output);
    }

    std::vector<node> nodes_;
    std::vector<simulated_layer<Scheme>> layers_;
    integers_between_reals integers_;
    std::array<std::vector<float>, max_inputs> rounded_;
};

} // namespace statiq::detail
