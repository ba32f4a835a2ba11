// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/constants.hpp>
#include <statiq/execute/own_tensors.hpp>
#include <statiq/execute/pack_float_layer.hpp>
#include <statiq/execute/real_call.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/quantize_data.hpp>
#include <statiq/plan/arena.hpp>
#include <statiq/simulate/dequantize_layer.hpp>
#include <statiq/simulate/integers_between_reals.hpp>
#include <statiq/simulate/loss_sources.hpp>
#include <statiq/simulate/round_sums.hpp>
#include <statiq/simulate/tensor_slots.hpp>
#include <statiq/tensor/aligned_vector.hpp>
#include <statiq/tensor/refusal.hpp>
#include <statiq/threads/single_run.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace statiq {

/// The simulated (fake-quantized) execution of nodes that are known when the program runs: float tensors that hold only
/// values the integers can express. Linear layers multiply the dequantized weights and activations in float and round
/// where, and as, the integer network rounds; the other layers round as their integer definition says.
///
/// Because formats are data here, an experiment over bits or schemes is a loop, not a type a setting. With loss sources
/// switched off it goes over, step by step, into the float network. Memory is taken once, at construction; for one
/// thread at a time; copies are independent.
/// @tparam List the operations that nodes may have; a node of another one is refused. `execution_list<Net>` adds the
/// network's own to the library's.
template <requantization_scheme Scheme = default_scheme, class List = operations::library>
class simulation {
  public:
    /// @param nodes with numbers chosen, batch norm folded. @param from their integers.
    /// @param reals their float parameters, for loss sources without `weight`; may be empty if that is never asked for.
    simulation(std::span<const node> nodes, std::span<const quantized_layer> from,
               std::span<const layer_parameters> reals = {})
        : nodes_(nodes.begin(), nodes.end()), layers_(nodes.size()), sources_(nodes.size(), loss_sources::all()),
          tensors_(nodes.size()), integral_(nodes.size()) {
        detail::require_count("simulation: layers of integers", nodes_.size(), from.size());
        if (!reals.empty()) detail::require_count("simulation: layers of reals", nodes_.size(), reals.size());
        std::size_t widest = 0;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            detail::require_count("simulation: operations of its list", 1,
                                  detail::holds_operation(List{}, nodes_[i].facts) ? 1 : 0, nodes_[i].name.view());
            detail::require_count("simulation: definitions in float", 1, nodes_[i].facts->has_reals ? 1 : 0,
                                  nodes_[i].name.view());
            widest = (std::max)(widest, nodes_[i].out.size());
            layers_[i].output = from[i].output;
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) prepare_layer(i, from, reals);
        scratch_.reserve(widest);
        for (auto& copy : rounded_) copy.resize(widest);
        const tensor_slots slots = share_slots(nodes_);
        place_ = slots.of_node;
        for (const std::size_t size : slots.sizes) arena_.emplace_back(size);
    }

    explicit simulation(const quantized_data& from) : simulation(from.nodes, from.layers, from.reals) {}

    [[nodiscard]] std::span<const node> nodes() const noexcept { return nodes_; }
    [[nodiscard]] const affine& map_of(std::size_t index) const noexcept { return layers_[index].output; }

    /// What each node loses by. All of it unless told.
    void set_sources(loss_sources everywhere) { sources_.assign(nodes_.size(), everywhere); }
    void set_sources(std::size_t index, loss_sources here) { sources_[index] = here; }

    /// Computes one node from the results of the nodes before it; `sample` is the network's input. Refused: a sample of
    /// another size, or one that lies in the simulation's memory, as the last result does.
    void step(std::size_t index, std::span<const float> sample) noexcept {
        const node& n = nodes_[index];
        if (n.is_source()) require_sample(n, sample);
        if (n.traits().moves_no_data) {
            tensors_[index] = tensors_[input_of(n)];
            integral_[index] = integral_[input_of(n)];
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
        integral_[index] = compute(index, inputs, !n.is_source() && integers, sources_[index], output);
        tensors_[index] = output;
    }

    /// The node's output, until a later node takes its memory. Refused before the node was computed.
    [[nodiscard]] std::span<const float> tensor(std::size_t index) const noexcept {
        detail::require_at_least("simulation: steps before a node's output is read", 1,
                                 tensors_[index] == nullptr ? 0 : 1);
        return {tensors_[index], nodes_[index].out.size()};
    }

    /// Runs on one sample of reals. `observe(index, values)` is called after each node; the result lives until the next
    /// run. Refused as `float_network::run` refuses. Allocates nothing.
    template <class Observe>
    std::span<const float> run(std::span<const float> sample,
                               Observe&& observe) noexcept(noexcept(observe(std::size_t{}, sample.data()))) {
        const detail::single_run::scope running(running_, "simulation: runs at a time");
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            step(i, sample);
            observe(i, tensors_[i]);
        }
        return {tensors_.back(), nodes_.back().out.size()};
    }
    std::span<const float> run(std::span<const float> sample) noexcept {
        return run(sample, [](std::size_t, const float*) noexcept {});
    }

    /// One node alone, on inputs that are reals of any value: what it makes of them with the given loss sources.
    /// @param inputs as many as the node has, each of the values its node has  @param output the node's values
    void run_alone(std::size_t index, const std::array<std::span<const float>, max_inputs>& inputs,
                   loss_sources sources, std::span<float> output) noexcept {
        const node& n = nodes_[index];
        std::array<const float*, max_inputs> from{inputs[0].data()};
        if (n.is_source()) detail::require_count("simulation: values of the input", n.out.size(), inputs[0].size());
        for (std::size_t k = 0; k < count_of(n); ++k) {
            detail::require_count("simulation: values of a node's input", input_size(n, k), inputs[k].size());
            from[k] = inputs[k].data();
        }
        detail::require_count("simulation: values of a node's output", n.out.size(), output.size());
        compute(index, from, false, sources, output.data());
    }

    /// A linear node's sums before any rounding and clamping, on inputs of any value.
    void sums(std::size_t index, std::span<const float> input, loss_sources sources,
              std::span<float> output) const noexcept {
        const node& n = nodes_[index];
        detail::require_count("simulation: values of a node's input", input_size(n, 0), input.size());
        detail::require_count("simulation: values of a node's output", n.out.size(), output.size());
        const layer& from = layers_[index];
        float_layer(without_activation(n), {input.data()},
                    sources.has(loss_source::weight) ? from.integers : from.reals, output.data());
    }

    /// Other float parameters for a node whose sums are float.
    void set_weights(std::size_t index, const layer_parameters& from) {
        layers_[index].integers = pack_float_layer(nodes_[index], from);
    }

  private:
    struct layer {
        affine output{};
        node_constants<Scheme> constants{};
        packed_float_layer integers{}; ///< the reals that the integer weights and biases stand for
        packed_float_layer reals{};    ///< the float parameters
        detail::sum_rounding<Scheme> rounding{};
        std::vector<float> table{};
    };
    /// Results without bounds may lie anywhere within these.
    static constexpr std::int32_t unbounded = std::int32_t{1} << 30;

    static std::size_t input_of(const node& n) noexcept { return static_cast<std::size_t>(n.input()); }
    static std::size_t count_of(const node& n) noexcept { return static_cast<std::size_t>(n.input_count); }
    [[nodiscard]] std::size_t input_size(const node& n, std::size_t k) const noexcept {
        return nodes_[static_cast<std::size_t>(n.inputs[k])].out.size();
    }
    void require_sample(const node& n, std::span<const float> sample) const noexcept {
        detail::require_count("simulation: values of the input", n.out.size(), sample.size());
        for (const auto& memory : arena_)
            detail::require_apart("simulation: bytes of the input that lie in its memory", sample.data(),
                                  sample.size_bytes(), memory.data(), memory.size() * sizeof(float));
    }
    static bool is_floating(const node& n) noexcept { return n.numbers.activation.floating; }

    void prepare_layer(std::size_t i, std::span<const quantized_layer> from, std::span<const layer_parameters> reals) {
        const node& n = nodes_[i];
        layer& to = layers_[i];
        if (n.traits().normalizes || n.has_own_parameters()) to.integers = pack_float_layer(n, from[i].floating);
        if (n.is_linear() && !reals.empty()) to.reals = pack_float_layer(n, reals[i]);
        if (!is_floating(n)) {
            to.constants.output = to.output;
            detail::set_clamp(n, to.output, to.constants.lowest, to.constants.highest);
            if (!n.is_linear()) {
                const auto scale_of = [this](std::size_t k) { return layers_[k].output.scale; };
                detail::set_factors_of<List>(nodes_, n, scale_of, to.output.scale, to.constants);
                to.table = detail::table_of<List>(
                    nodes_, n, [this](std::size_t k) -> const affine& { return layers_[k].output; }, to.output,
                    &from[i].floating);
                return;
            }
        }
        if (!n.is_linear()) return;
        detail::require_integers(n, from[i].weight.size(), from[i].weight_map.size(), from[i].bias.size());
        if (n.numbers.weight.floating) {
            to.integers = pack_float_layer(n, from[i].floating);
            return;
        }
        const float input_scale = layers_[input_of(n)].output.scale;
        to.integers = pack_float_layer(n, detail::dequantized_layer(n, from[i], input_scale));
        if (!is_floating(n))
            to.rounding = detail::prepare_sums<Scheme>(n, nodes_[input_of(n)].numbers.activation, from[i], input_scale,
                                                       to.output.scale);
    }

    /// @param integers whether the inputs hold integers of their formats
    /// @return whether the output does
    bool compute(std::size_t index, std::array<const float*, max_inputs> inputs, bool integers, loss_sources sources,
                 float* output) noexcept {
        const node& n = nodes_[index];
        if (n.is_source() || (n.traits().converts && from_reals(n))) return enter(index, inputs[0], sources, output);
        if (is_floating(n)) {
            const bool real_weights = !sources.has(loss_source::weight) && n.is_linear();
            float_layer(n, inputs, real_weights ? layers_[index].reals : layers_[index].integers, output);
            return false;
        }
        if (!integers && sources.has(loss_source::input)) {
            for (std::size_t k = 0; k < count_of(n); ++k) {
                const auto from = static_cast<std::size_t>(n.inputs[k]);
                enter_as(from, inputs[k], nodes_[from].out.size(), sources, rounded_[k].data());
                inputs[k] = rounded_[k].data();
            }
            integers = sources.has(loss_source::saturation);
        }
        const bool rounds = sources.has(loss_source::requantization);
        const bool saturates = sources.has(loss_source::saturation);
        const bool clips = sources.has(loss_source::clipping);
        if (n.is_linear()) {
            const packed_float_layer& weights =
                sources.has(loss_source::weight) ? layers_[index].integers : layers_[index].reals;
            if (!rounds && !saturates && !clips) {
                float_layer(n, inputs, weights, output);
                return false;
            }
            float_layer(without_activation(n), inputs, weights, output);
            // Sums of integers lie on the accumulator's steps; sums of other reals are rounded to the output's alone.
            if (rounds && integers && sources.has(loss_source::weight)) {
                const auto [lowest, highest] = integer_bounds(n, index, sources);
                detail::round_sums<Scheme>(output, n.out.pixels(), static_cast<std::size_t>(n.out.channels),
                                           layers_[index].rounding.steps.data(), layers_[index].rounding.factors.data(),
                                           layers_[index].output, lowest, highest);
            } else if (rounds) {
                round_to_output(n, index, sources, output);
            }
        } else {
            if (rounds && saturates && clips && integers) {
                through_integers(index, inputs, output);
                return true;
            }
            if (!rounds && !saturates && !clips) {
                float_layer(n, inputs, layers_[index].integers, output);
                return false;
            }
            float_layer(without_activation(n), inputs, layers_[index].integers, output);
            if (rounds) round_to_output(n, index, sources, output);
        }
        clamp_reals(n, index, sources, output);
        return rounds && saturates && (clips || !n.clamp.bounds());
    }

    [[nodiscard]] bool from_reals(const node& n) const noexcept {
        return is_floating(n) || is_floating(nodes_[input_of(n)]);
    }

    static node without_activation(node n) noexcept {
        if (n.has_fused_clamp()) n.clamp = {};
        return n;
    }

    /// Reals at the network's input, or where float layers meet integer ones.
    bool enter(std::size_t index, const float* from, loss_sources sources, float* output) const noexcept {
        const node& n = nodes_[index];
        if (is_floating(n)) {
            std::copy_n(from, n.out.size(), output);
            return false;
        }
        enter_as(index, from, n.out.size(), sources, output);
        return sources.has(loss_source::input) && sources.has(loss_source::saturation);
    }
    /// Reals in the numbers of a node's output.
    void enter_as(std::size_t index, const float* from, std::size_t count, loss_sources sources,
                  float* to) const noexcept {
        const number_format& format = nodes_[index].numbers.activation;
        const affine& map = layers_[index].output;
        const bool saturates = sources.has(loss_source::saturation);
        if (sources.has(loss_source::input) && !format.floating) {
            detail::round_reals(from, to, count, map, saturates ? format.lowest : -unbounded,
                                saturates ? format.highest : unbounded);
        } else {
            const range ends = representable(map, format);
            const bool clamps = saturates && !format.floating;
            for (std::size_t i = 0; i < count; ++i) to[i] = clamps ? std::clamp(from[i], ends.min, ends.max) : from[i];
        }
    }

    void round_to_output(const node& n, std::size_t index, loss_sources sources, float* values) const noexcept {
        const auto [lowest, highest] = integer_bounds(n, index, sources);
        detail::round_reals(values, values, n.out.size(), layers_[index].output, lowest, highest);
    }

    [[nodiscard]] std::pair<std::int32_t, std::int32_t> integer_bounds(const node& n, std::size_t index,
                                                                       loss_sources sources) const noexcept {
        const number_format& format = n.numbers.activation;
        const affine& map = layers_[index].output;
        const bool saturates = sources.has(loss_source::saturation);
        std::int32_t lowest = saturates ? format.lowest : -unbounded;
        std::int32_t highest = saturates ? format.highest : unbounded;
        if (sources.has(loss_source::clipping)) {
            const real_clamp bounds = n.clamp;
            lowest = (std::max)(lowest, level(bounds.lowest, map));
            highest = (std::min)(highest, level(bounds.highest, map));
        }
        return {lowest, highest};
    }
    /// The integer of a bound, whatever the format's limits.
    static std::int32_t level(float bound, const affine& map) noexcept {
        const double steps = detail::nearest_away(bound / map.scale);
        return static_cast<std::int32_t>(
            std::clamp(steps + map.zero_point, -static_cast<double>(unbounded), static_cast<double>(unbounded)));
    }

    /// What clamps remain when the integers' clamps are done, or not switched on.
    void clamp_reals(const node& n, std::size_t index, loss_sources sources, float* values) const noexcept {
        real_clamp bounds = n.clamp;
        const affine& map = layers_[index].output;
        if (sources.has(loss_source::clipping)) {
            if (sources.has(loss_source::requantization)) return; // done
            bounds = {dequantize(level(bounds.lowest, map), map), dequantize(level(bounds.highest, map), map)};
        }
        if (sources.has(loss_source::saturation)) {
            const range ends = representable(map, n.numbers.activation);
            bounds = {(std::max)(bounds.lowest, ends.min), (std::min)(bounds.highest, ends.max)};
        }
        for (std::size_t i = 0; i < n.out.size(); ++i) values[i] = std::clamp(values[i], bounds.lowest, bounds.highest);
    }

    void float_layer(const node& n, const std::array<const float*, max_inputs>& inputs,
                     const packed_float_layer& weights, float* output) const noexcept {
        kernels::float_stack_scratch scratch; // sums of one simulation may be taken by several threads
        detail::compute_reals<List>(nodes_.data(), n, inputs.data(), weights.view(), output, scratch.memory());
    }

    void through_integers(std::size_t index, const std::array<const float*, max_inputs>& reals,
                          float* output) noexcept {
        scratch_.template run<List, Scheme>(
            nodes_.data(), nodes_[index], [this](std::size_t k) -> const affine& { return layers_[k].output; },
            layers_[index].constants, layers_[index].table.data(), reals, layers_[index].output, output);
    }

    std::vector<node> nodes_;
    std::vector<layer> layers_;
    std::vector<loss_sources> sources_;
    std::vector<aligned_vector<float>> arena_;
    std::vector<std::size_t> place_;
    detail::own_tensors<std::vector<const float*>> tensors_;
    std::vector<bool> integral_;
    detail::integers_between_reals scratch_;
    std::array<std::vector<float>, max_inputs> rounded_;
    detail::single_run running_{};
};

} // namespace statiq
