// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/constants.hpp>
#include <statiq/execute/integer_parameters.hpp>
#include <statiq/execute/walk.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/passes/check_integers.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/tensor/refusal.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace statiq {

/// A node's integers where they lie: as `quantized_layer`, whose members the other ones view, or in constant arrays.
struct quantized_layer_view {
    affine output{};
    std::span<const std::int32_t> weight{};     ///< in natural order
    std::span<const affine> weight_map{};       ///< one for each output channel
    std::span<const std::int32_t> bias{};       ///< one for each output channel
    const layer_parameters* floating = nullptr; ///< of a float layer
};
template <graph_type G>
using quantized_layers = std::array<quantized_layer_view, node_count<G>>;

namespace detail {

/// Packs natural integers as the kernels store them beside activations of type In.
template <class In, class Packed>
constexpr void pack_integers(std::span<const std::int32_t> natural, std::int32_t offset,
                             kernels::stored_weight<Packed>* packed, const convolution_shape& shape) {
    kernels::with_packed_layout<In, Packed>(shape, [&](const auto& layout) {
        kernels::clear_weights<Packed>(packed, layout.size());
        for_each_weight(shape, [&](const weight_place& w) {
            kernels::set_weight<Packed>(packed, layout.index(w.output, w.tap, w.input), natural[w.index] - offset);
        });
    });
}

template <graph_type Q, class Scheme>
class preparation {
    static_assert(!has_weight_only_layers<Q>(),
                  "statiq: where weights alone are integers, sums are float: run it as a weight_only_network");

  public:
    constexpr preparation(const quantized_layers<Q>& from, integer_parameters<Q, Scheme>& to) : from_(from), to_(to) {}

    constexpr void run() {
        if (const auto fault = find_integer_fault(Q::nodes, from_)) refuse(*fault);
        to_.header = to_.expected_header();
        for (std::size_t i = 0; i < node_count<Q>; ++i) {
            const node& n = Q::nodes[i];
            auto& constants = to_.constants[i];
            constants = {};
            if (n.numbers.activation.floating) {
                if (n.is_linear()) {
                    require_sizes(n, *from_[i].floating);
                    pack_floats(i);
                } else if (n.has_own_parameters()) {
                    require_sizes(n, *from_[i].floating);
                    copy_parameters(n, *from_[i].floating, to_.floats.data() + to_.layout.at[i].floats);
                }
                continue;
            }
            constants.output = from_[i].output;
            set_clamp(n, constants.output, constants.lowest, constants.highest);
            if (!n.is_linear()) set_factors(i);
        }
        for_each_node<Q>([&]<std::size_t I>(node_index<I>) {
            constexpr const node& n = Q::nodes[I];
            if constexpr (n.is_linear() && !n.numbers.activation.floating) {
                constexpr const number_format& format = Q::nodes[input_index<Q, I>].numbers.activation;
                constexpr weight_storage storage = storage_of_weights(n, format);
                with_weight_type<storage>([&]<class Weight>(std::type_identity<Weight>) {
                    using In = statiq::activation_storage<Q, input_index<Q, I>>;
                    const auto& at = to_.layout.at[I];
                    if constexpr (storage == weight_storage::words)
                        pack_linear<In, Weight>(I, to_.words.data() + at.words);
                    else
                        pack_linear<In, Weight>(I, to_.bytes.data() + at.bytes);
                });
            }
        });
    }

  private:
    static constexpr void refuse(const integer_fault& fault) {
        constexpr std::array counts{"weights", "weight scales", "weight zero points",
                                    "biases",  "scales",        "zero points"};
        constexpr std::array numbers{"a weight", "a weight scale's bits", "a weight zero point",
                                     "a bias",   "the scale's bits",      "the zero point"};
        const auto part = static_cast<std::size_t>(fault.part);
        const std::string_view layer = Q::nodes[fault.node].name.view();
        if (fault.what == integer_fault::kind::count)
            refused({counts[part], fault.allowed.lo, fault.allowed.hi, fault.found, layer});
        if (fault.what == integer_fault::kind::integer)
            refused({numbers[part], fault.allowed.lo, fault.allowed.hi, fault.found, layer});
        refused({numbers[part], 1, 0x7f7fffff, std::int64_t{std::bit_cast<std::uint32_t>(fault.real)}, layer});
    }

    [[nodiscard]] constexpr std::size_t input_of(std::size_t i, int k = 0) const {
        return static_cast<std::size_t>(Q::nodes[i].inputs[static_cast<std::size_t>(k)]);
    }
    [[nodiscard]] constexpr float scale_of(std::size_t i) const { return from_[i].output.scale; }

    constexpr void set_factors(std::size_t i) {
        const node& n = Q::nodes[i];
        set_factors_of<operations_of<Q>>(
            Q::nodes, n, [this](std::size_t k) { return scale_of(k); }, scale_of(i), to_.constants[i]);
        if (uses_table(n))
            fill_table<operations_of<Q>, Scheme>(
                Q::nodes, n, [this](std::size_t k) -> const affine& { return from_[k].output; }, from_[i].output,
                from_[i].floating, to_.floats.data() + to_.layout.at[i].floats);
    }

    void pack_floats(std::size_t i) {
        const node& n = Q::nodes[i];
        const convolution_shape shape = n.convolution();
        float* weights = to_.floats.data() + to_.layout.at[i].floats;
        kernels::pack_weights<float, float>(from_[i].floating->weight.data(), weights, shape);
        float* biases = weights + kernels::packed_weight_count<float, float>(shape);
        for (std::size_t c = 0; c < static_cast<std::size_t>(n.out.channels); ++c)
            biases[c] = n.has_bias ? from_[i].floating->bias[c] : 0.0F;
    }

    /// @tparam In the layer's inputs. @tparam Packed what its weights are packed as. @param packed where they go.
    template <class In, class Packed>
    constexpr void pack_linear(std::size_t i, kernels::stored_weight<Packed>* packed) {
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
            to_.factors[at.factors + c] = Scheme::prepare(accumulator_multiplier(
                rounds_product(n, input), input_map.scale, from_[i].weight_map[c].scale, scale_of(i)));
        }
        pack_integers<In, Packed>(from_[i].weight, weight_offset(n, input), packed, shape);
        kernels::correct_bias<In, Packed>(biases, packed, zero_points, input_map.zero_point, shape, corrected);
    }

    const quantized_layers<Q>& from_;
    integer_parameters<Q, Scheme>& to_;
};

} // namespace detail

/// Packs a network's integers for the kernels; in a constant expression too, where no layer is float. `to` may be
/// large: keep it off the stack. Integers that the types or the proof of the sums exclude are refused (`refused`).
template <graph_type Q, requantization_scheme Scheme>
constexpr void prepare(const quantized_layers<Q>& from, integer_parameters<Q, Scheme>& to) {
    detail::preparation<Q, Scheme>(from, to).run();
}
template <graph_type Q, requantization_scheme Scheme>
void prepare(const quantized_parameters<Q>& from, integer_parameters<Q, Scheme>& to) {
    quantized_layers<Q> layers;
    for (std::size_t i = 0; i < node_count<Q>; ++i)
        layers[i] = {from[i].output, from[i].weight, from[i].weight_map, from[i].bias, &from[i].floating};
    prepare(layers, to);
}

} // namespace statiq
