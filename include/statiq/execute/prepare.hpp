// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_parameters.hpp>
#include <statiq/passes/quantize_parameters.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace statiq {

namespace detail {

/// The clamp of a node's integers: the format's limits, narrowed by its activation (P3 section 2.4).
constexpr void set_clamp(const node& n, const affine& output, std::int32_t& lowest, std::int32_t& highest) {
    const number_format& format = n.numbers.activation;
    lowest = format.lowest;
    highest = format.highest;
    const bool six = n.fused == activation::relu6 || n.kind == operation::relu6;
    if (six || n.fused == activation::relu || n.kind == operation::relu) lowest = quantize(0.0F, output, format);
    if (six) highest = quantize(6.0F, output, format);
}

/// Packs natural integers as the kernels store them beside activations of type In.
template <class In, class Natural, class Packed>
void pack_integers(const std::vector<std::int32_t>& natural, Packed* packed, const convolution_shape& shape) {
    const std::vector<Natural> narrow(natural.begin(), natural.end());
    kernels::pack_weights<In, Natural>(narrow.data(), packed, shape);
}

template <graph_type Q, class Scheme>
class preparation {
  public:
    preparation(const quantized_parameters<Q>& from, integer_parameters<Q, Scheme>& to) : from_(from), to_(to) {}

    void run() {
        to_.fingerprint = to_.expected_fingerprint;
        to_.size = sizeof(to_);
        for (std::size_t i = 0; i < node_count<Q>; ++i) {
            const node& n = Q::nodes[i];
            auto& constants = to_.constants[i];
            constants = {};
            if (n.numbers.activation.floating) {
                if (n.is_linear()) pack_floats(i);
                continue;
            }
            constants.output = from_[i].output;
            set_clamp(n, constants.output, constants.lowest, constants.highest);
            if (n.is_linear())
                pack_linear(i);
            else
                set_factors(i);
        }
    }

  private:
    [[nodiscard]] std::size_t input_of(std::size_t i, int k = 0) const {
        return static_cast<std::size_t>(Q::nodes[i].inputs[static_cast<std::size_t>(k)]);
    }
    [[nodiscard]] float scale_of(std::size_t i) const { return from_[i].output.scale; }

    void set_factors(std::size_t i) {
        const node& n = Q::nodes[i];
        auto& constants = to_.constants[i];
        if (n.kind == operation::input) return;
        const double ratio = static_cast<double>(scale_of(input_of(i))) / static_cast<double>(scale_of(i));
        if (n.kind == operation::add) {
            std::array<float, max_inputs> scales{};
            int widest = 0;
            for (int k = 0; k < n.input_count; ++k) {
                scales[static_cast<std::size_t>(k)] = scale_of(input_of(i, k));
                widest = std::max(widest, Q::nodes[input_of(i, k)].numbers.activation.bits);
            }
            constants.join = kernels::reference::prepare_add<Scheme>(
                std::span<const float>(scales.data(), static_cast<std::size_t>(n.input_count)), scale_of(i), widest);
        } else if (n.kind == operation::concat) {
            for (int k = 0; k < n.input_count; ++k)
                constants.join.inputs[static_cast<std::size_t>(k)] =
                    Scheme::prepare(static_cast<double>(scale_of(input_of(i, k))) / static_cast<double>(scale_of(i)));
        } else if (n.kind == operation::global_average_pool) {
            constants.factor = Scheme::prepare_mean(ratio, static_cast<std::int64_t>(n.in.pixels()));
        } else if (n.kind == operation::convert) {
            constants.factor = Scheme::prepare(ratio);
        } else if (n.kind == operation::softmax) {
            constants.softmax = kernels::reference::prepare_softmax(scale_of(input_of(i)));
        }
    }

    void pack_floats(std::size_t i) {
        const node& n = Q::nodes[i];
        const convolution_shape shape = n.convolution();
        float* weights = to_.floats.data() + to_.layout.at[i].floats;
        kernels::pack_weights<float, float>(from_[i].floating.weight.data(), weights, shape);
        float* biases = weights + kernels::packed_weight_count<float, float>(shape);
        for (std::size_t c = 0; c < static_cast<std::size_t>(n.out.channels); ++c)
            biases[c] = n.has_bias ? from_[i].floating.bias[c] : 0.0F;
    }

    void pack_linear(std::size_t i) {
        const node& n = Q::nodes[i];
        const convolution_shape shape = n.convolution();
        const auto& at = to_.layout.at[i];
        const auto channels = static_cast<std::size_t>(n.out.channels);
        const std::size_t before = input_of(i);
        const number_format& input = Q::nodes[before].numbers.activation;
        const affine& input_map = from_[before].output;

        std::int32_t* biases = to_.integers.data() + at.integers;
        std::int32_t* corrected = biases + channels;
        std::int32_t* zero_points = nullptr;
        if (has_weight_zero_points(n, input)) zero_points = corrected + channels;
        for (std::size_t c = 0; c < channels; ++c) {
            biases[c] = from_[i].bias[c];
            if (zero_points != nullptr) zero_points[c] = from_[i].weight_map[c].zero_point - weight_offset(n, input);
            to_.factors[at.factors + c] =
                Scheme::prepare(static_cast<double>(input_map.scale) *
                                static_cast<double>(from_[i].weight_map[c].scale) / static_cast<double>(scale_of(i)));
        }
        const auto correct = [&]<class In, class Weight>(const In*, const Weight* weights) {
            kernels::correct_bias<In, Weight>(biases, weights, zero_points, input_map.zero_point, shape, corrected);
        };
        const auto pack = [&]<class In>(const In* activations) {
            const auto& natural = from_[i].weight;
            if (storage_of_weights(n, input) == weight_storage::words) {
                std::int16_t* packed = to_.words.data() + at.words;
                pack_integers<In, std::int16_t>(natural, packed, shape);
                correct(activations, packed);
            } else {
                std::int8_t* packed = to_.bytes.data() + at.bytes;
                if constexpr (sizeof(In) == 1) {
                    if (weight_offset(n, input) != 0)
                        pack_integers<In, std::uint8_t>(natural, packed, shape);
                    else
                        pack_integers<In, std::int8_t>(natural, packed, shape);
                } else {
                    pack_integers<In, std::int8_t>(natural, packed, shape);
                }
                correct(activations, packed);
            }
        };
        if (is_byte(input)) {
            if (input.is_signed())
                pack(static_cast<const std::int8_t*>(nullptr));
            else
                pack(static_cast<const std::uint8_t*>(nullptr));
        } else {
            if (input.is_signed())
                pack(static_cast<const std::int16_t*>(nullptr));
            else
                pack(static_cast<const std::uint16_t*>(nullptr));
        }
    }

    const quantized_parameters<Q>& from_;
    integer_parameters<Q, Scheme>& to_;
};

} // namespace detail

/// Packs a network's integers for the kernels. `to` may be large: keep it off the stack.
template <graph_type Q, class Scheme>
void prepare(const quantized_parameters<Q>& from, integer_parameters<Q, Scheme>& to) {
    detail::preparation<Q, Scheme>(from, to).run();
}

} // namespace statiq
