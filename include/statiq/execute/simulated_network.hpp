// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/float_network.hpp>
#include <statiq/execute/integer_step.hpp>
#include <statiq/execute/prepare.hpp>
#include <statiq/execute/walk.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace statiq {

/// The simulated (fake-quantized) execution: float tensors that hold only values the integers can express. Linear
/// layers multiply the dequantized weights and activations in float and round where, and as, the integer network
/// rounds; the other layers round as their integer definition says. It predicts the integer network to one step:
/// float sums miss the exact accumulator by less than what moves the rounded result further.
template <rewritten_graph Q, class Scheme = float_multiplier>
class simulated_network {
  public:
    using graph = Q;

    explicit simulated_network(const quantized_parameters<Q>& from)
        : prepared_(std::make_unique<integer_parameters<Q, Scheme>>()),
          arena_(float_arena.arena_bytes / sizeof(float) + 1) {
        prepare(from, *prepared_);
        std::size_t widest = 0;
        for (std::size_t i = 0; i < node_count<Q>; ++i) {
            const node& n = Q::nodes[i];
            widest = std::max(widest, n.out.size());
            if (n.is_linear()) layers_[i] = dequantized_layer(i, from);
        }
        for (auto& integers : scratch_) integers.resize(widest);
    }

    /// Runs on one sample of reals, quantizing it first. The result lives until the next run.
    template <class Observe = observe_nothing>
    std::span<const float> run(const float* input, Observe&& observe = {}) noexcept {
        for_each_node<Q>([&]<std::size_t I>(node_index<I> index) {
            step<I>(input);
            observe(index, tensors_[I]);
        });
        return {tensors_.back(), output_extents<Q>.size()};
    }
    std::span<const float> operator()(std::span<const float> input) noexcept { return run(input.data()); }

  private:
    /// The same graph with room for floats; the input's quantized copy and the conversions included.
    static constexpr auto float_arena = [] {
        auto nodes = Q::nodes;
        for (node& n : nodes) {
            n.numbers.activation = float32::format;
            if (n.kind == operation::input) n.kind = operation::convert; // its quantized copy needs room
        }
        return detail::plan_memory(nodes);
    }();

    template <std::size_t I>
    void step(const float* input) noexcept {
        constexpr const node& n = Q::nodes[I];
        constexpr const number_format& format = n.numbers.activation;
        float* output = arena_.data() + float_arena.tensors[I].offset / sizeof(float);
        const auto before = static_cast<std::size_t>(std::max(n.input(), 0));
        if constexpr (n.kind == operation::reshape) {
            tensors_[I] = tensors_[before];
            return;
        } else if constexpr (n.kind == operation::input || n.kind == operation::convert) {
            const float* from = n.kind == operation::input ? input : tensors_[before];
            constexpr bool from_integers =
                n.kind == operation::convert &&
                !Q::nodes[static_cast<std::size_t>(std::max(n.input(), 0))].numbers.activation.floating;
            if constexpr (format.floating)
                std::copy_n(from, n.out.size(), output);
            else if constexpr (from_integers)
                through_integers<I>(output);
            else
                for (std::size_t k = 0; k < n.out.size(); ++k) output[k] = fake_quantize(from[k], map_of(I), format);
        } else if constexpr (format.floating) {
            float_layer<I>(output);
        } else if constexpr (n.is_linear()) {
            float_layer<I>(output);
            round_sums<I>(output);
        } else {
            through_integers<I>(output);
        }
        tensors_[I] = output;
    }

    template <std::size_t I>
    void float_layer(float* output) noexcept {
        constexpr const node& n = Q::nodes[I];
        std::array<const float*, max_inputs> inputs{};
        for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
            inputs[k] = tensors_[static_cast<std::size_t>(n.inputs[k])];
        detail::float_step(plain_nodes.data(), plain_nodes[I], {inputs.data(), static_cast<std::size_t>(n.input_count)},
                           layers_[I].view(), output);
    }

    /// Linear integer layers clamp after rounding, not before.
    static constexpr auto plain_nodes = [] {
        auto nodes = Q::nodes;
        for (node& n : nodes)
            if (n.is_linear() && !n.numbers.activation.floating) n.fused = activation::none;
        return nodes;
    }();

    /// Rounds a linear layer's real sums as the integer layer does: to the accumulator, whose step is s_x * s_w, then
    /// by the scheme.
    template <std::size_t I>
    void round_sums(float* values) noexcept {
        constexpr const node& n = Q::nodes[I];
        const auto& constants = prepared_->constants[I];
        const auto* factors = prepared_->factors.data() + prepared_->layout.at[I].factors;
        constexpr auto channels = static_cast<std::size_t>(n.out.channels);
        for (std::size_t pixel = 0; pixel < n.out.pixels(); ++pixel)
            for (std::size_t c = 0; c < channels; ++c) {
                float& value = values[pixel * channels + c];
                const auto sum =
                    math::saturate<std::int32_t>(half_even{}(static_cast<double>(value) / accumulator_steps_[I][c]));
                value = dequantize(requantize<Scheme>(sum, factors[c], constants.output.zero_point, constants.lowest,
                                                      constants.highest),
                                   constants.output);
            }
    }

    /// Layers other than linear ones have exact integer definitions: back to integers, through, and to reals again.
    template <std::size_t I>
    void through_integers(float* output) noexcept {
        constexpr const node& n = Q::nodes[I];
        using in = activation_storage<Q, input_index<Q, I>>;
        using out = activation_storage<Q, I>;
        std::array<const in*, max_inputs> inputs{};
        std::array<std::int32_t, max_inputs> zero_points{};
        constexpr auto count = static_cast<std::size_t>(n.input_count);
        for (std::size_t k = 0; k < count; ++k) {
            const auto from = static_cast<std::size_t>(n.inputs[k]);
            auto* integers = reinterpret_cast<in*>(scratch_[k].data());
            const affine& map = map_of(from);
            for (std::size_t v = 0; v < Q::nodes[from].out.size(); ++v)
                integers[v] =
                    static_cast<in>(half_even{}(static_cast<double>(tensors_[from][v] / map.scale)) + map.zero_point);
            inputs[k] = integers;
            zero_points[k] = map.zero_point;
        }
        auto* result = reinterpret_cast<out*>(scratch_[max_inputs].data());
        detail::integer_step<in>(Q::nodes.data(), n, std::span<const in* const>(inputs.data(), count),
                                 std::span<const std::int32_t>(zero_points.data(), count), prepared_->constants[I],
                                 prepared_->floats.data() + prepared_->layout.at[I].floats, result);
        for (std::size_t v = 0; v < n.out.size(); ++v) output[v] = dequantize(result[v], map_of(I));
    }

    /// Real weights and biases the integers stand for; and the accumulator's step of each channel.
    packed_float_layer dequantized_layer(std::size_t i, const quantized_parameters<Q>& from) {
        const node& n = Q::nodes[i];
        if (n.numbers.weight.floating) return pack_float_layer(n, from[i].floating);
        const convolution_shape shape = n.convolution();
        const double input_scale = static_cast<double>(from[static_cast<std::size_t>(n.input())].output.scale);
        layer_parameters real;
        real.weight.resize(shape.weight_count());
        for (int o = 0; o < shape.out.channels; ++o) {
            const auto c = static_cast<std::size_t>(o);
            const affine& map = from[i].weight_map[c];
            const double sum_step = input_scale * static_cast<double>(map.scale);
            accumulator_steps_[i].push_back(sum_step);
            real.bias.push_back(static_cast<float>(sum_step * from[i].bias[c]));
            for (int tap = 0; tap < shape.over.taps(); ++tap)
                for (int k = 0; k < shape.in_channels_per_group(); ++k) {
                    const std::size_t w = shape.weight_index(o, tap, k);
                    real.weight[w] = dequantize(from[i].weight[w], map);
                }
        }
        return pack_float_layer(n, real);
    }

    [[nodiscard]] const affine& map_of(std::size_t index) const noexcept { return prepared_->constants[index].output; }

    std::unique_ptr<integer_parameters<Q, Scheme>> prepared_;
    std::array<packed_float_layer, node_count<Q>> layers_;
    std::array<std::vector<double>, node_count<Q>> accumulator_steps_;
    std::vector<float> arena_;
    std::array<std::vector<std::uint16_t>, max_inputs + 1> scratch_;
    std::array<const float*, node_count<Q>> tensors_{};
};

} // namespace statiq
