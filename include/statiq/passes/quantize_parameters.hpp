// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/interval.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/weight_maps.hpp>
#include <statiq/tensor/refusal.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

namespace statiq {

/// The range of every node's output, as observed or declared: one for each node of G, in its order.
template <graph_type G>
struct node_ranges {
    range values[node_count<G>]{};

    [[nodiscard]] static constexpr std::size_t size() noexcept { return node_count<G>; }
    [[nodiscard]] constexpr range& operator[](std::size_t index) noexcept { return values[index]; }
    [[nodiscard]] constexpr const range& operator[](std::size_t index) const noexcept { return values[index]; }
    [[nodiscard]] constexpr const range& back() const noexcept { return values[size() - 1]; }
    [[nodiscard]] constexpr range* begin() noexcept { return values; }
    [[nodiscard]] constexpr const range* begin() const noexcept { return values; }
    [[nodiscard]] constexpr range* end() noexcept { return values + size(); }
    [[nodiscard]] constexpr const range* end() const noexcept { return values + size(); }
    friend constexpr bool operator==(const node_ranges&, const node_ranges&) = default;
};

/// Ranges that were observed in one graph, for the parameters of another.
template <class Ranges, class Parameters>
struct ranges_of_another_network : rejection {};

/// Refuses ranges that are not those of the network whose parameters come with them.
template <class Verdict>
struct check_ranges {
    static_assert(Verdict::accepted,
                  "statiq: parameters are quantized by their own network's ranges: deploy, calibrate, quantize");
    static constexpr bool passed = true;
};

/// A node's integers. Float layers keep their float parameters instead.
struct quantized_layer {
    affine output{};                  ///< of the activation; meaningless where that is float
    std::vector<std::int32_t> weight; ///< in natural order
    std::vector<affine> weight_map;   ///< one for each output channel (all equal when per tensor), or for each group
    std::vector<std::int32_t> bias;   ///< at scale s_x * s_w[o], always present
    layer_parameters floating;        ///< of a float layer
};

/// A network's integers: what quantizing float parameters gives, or what was made elsewhere.
template <graph_type G>
struct quantized_parameters {
    std::array<quantized_layer, node_count<G>> layers{};

    quantized_layer& operator[](std::size_t index) { return layers[index]; }
    const quantized_layer& operator[](std::size_t index) const { return layers[index]; }
};

namespace detail {

/// The least and greatest weight of each output channel.
inline std::vector<range> weight_ranges(const std::vector<float>& weight, const convolution_shape& shape) {
    std::vector<range> ranges(static_cast<std::size_t>(shape.out.channels));
    for (int o = 0; o < shape.out.channels; ++o) {
        range& seen = ranges[static_cast<std::size_t>(o)];
        seen = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
        for_each_weight_of_output(shape, o, [&](const weight_place& w) {
            seen = {(std::min)(seen.min, weight[w.index]), (std::max)(seen.max, weight[w.index])};
        });
    }
    return ranges;
}

/// The range widened until its scale is at least `least`.
constexpr range widened(const range& r, const number_format& format, double least) {
    const range wide = relaxed(r);
    const double from = format.has_zero_point ? static_cast<double>(wide.min) : 0.0;
    const int steps = format.has_zero_point ? format.highest - format.lowest : format.highest;
    return {wide.min, (std::max)(wide.max, static_cast<float>(from + least * steps))};
}

/// How the weights of an output channel become integers.
class weight_quantizer {
  public:
    /// @param r what the weights span. @param least the least scale.
    weight_quantizer(const range& r, const number_format& format, double least)
        : format_(format), map_(choose_affine(format, widened(r, format, least))) {
        const range wide = widened(r, format, least);
        const float span = format.is_signed() ? (std::max)(-wide.min, wide.max) : wide.max;
        inverse_ = static_cast<float>(format.highest) / span;
    }
    [[nodiscard]] const affine& map() const noexcept { return map_; }

    /// Weights without zero point are multiplied by the inverse of their scale, rounded to float by itself, as
    /// TensorFlow Lite's converter does: where a weight lies within a few roundings of the middle between two integers,
    /// dividing by the scale may give the other one.
    [[nodiscard]] std::int32_t operator()(float weight) const noexcept {
        if (format_.has_zero_point || !std::isfinite(inverse_)) return quantize(weight, map_, format_);
        return quantize(weight * inverse_, affine{}, format_);
    }

  private:
    number_format format_;
    affine map_;
    float inverse_ = 0;
};

/// One for each output channel.
/// @param least the least scale of each channel.
inline std::vector<weight_quantizer> choose_weight_quantizers(const std::vector<range>& ranges,
                                                              const std::vector<double>& least,
                                                              const number_format& format) {
    if (format.per == granularity::tensor) {
        range whole = ranges[0];
        for (const range& r : ranges) whole = {(std::min)(whole.min, r.min), (std::max)(whole.max, r.max)};
        const double least_of_all = *std::max_element(least.begin(), least.end());
        return std::vector<weight_quantizer>(ranges.size(), weight_quantizer(whole, format, least_of_all));
    }
    std::vector<weight_quantizer> quantizers;
    for (std::size_t o = 0; o < ranges.size(); ++o) quantizers.emplace_back(ranges[o], format, least[o]);
    return quantizers;
}

/// Integers of one linear layer: weights by their own range, biases at the accumulator's scale. A bias has half of
/// int32 (as in TensorFlow Lite's converter), or what the proof of the accumulator leaves of it if that is less; where
/// that is too little, the weights' scale grows: a channel with hardly any weights is all bias.
inline void quantize_linear(const node& n, const number_format& input_format, const affine& input,
                            const layer_parameters& from, quantized_layer& to) {
    const convolution_shape shape = n.convolution();
    const number_format& format = n.numbers.weight;
    const auto channels = static_cast<std::size_t>(shape.out.channels);
    const interval sums = accumulator_interval(input_format, format, shape.reduction());
    constexpr std::int64_t limit = (std::numeric_limits<std::int32_t>::max)();
    const auto room = static_cast<std::int32_t>((std::min)(limit - (std::max)(sums.hi, -sums.lo), limit / 2 + 1));
    const auto input_scale = static_cast<double>(input.scale);
    std::vector<double> least(channels, 0.0);
    for (std::size_t c = 0; n.has_bias && room > 0 && c < channels; ++c)
        least[c] = std::abs(static_cast<double>(from.bias[c])) / (input_scale * room);
    const auto quantizers = choose_weight_quantizers(weight_ranges(from.weight, shape), least, format);
    to.weight_map.clear();
    for (const weight_quantizer& q : quantizers) to.weight_map.push_back(q.map());
    to.weight.resize(from.weight.size());
    to.bias.assign(channels, 0);
    for (int o = 0; o < shape.out.channels; ++o) {
        const auto c = static_cast<std::size_t>(o);
        for_each_weight_of_output(
            shape, o, [&](const weight_place& w) { to.weight[w.index] = quantizers[c](from.weight[w.index]); });
        if (!n.has_bias) continue;
        const double scale = input_scale * static_cast<double>(to.weight_map[c].scale);
        to.bias[c] = std::clamp(quantize_bias(static_cast<double>(from.bias[c]), scale), -room, room);
    }
}

/// Refuses integers of a linear layer that are not as many as its shape and its numbers say.
constexpr void require_integers(const node& n, std::size_t weights, std::size_t maps, std::size_t biases) {
    if (n.numbers.weight.floating) return;
    const convolution_shape shape = n.convolution();
    const auto channels = static_cast<std::size_t>(n.out.channels);
    require_count("integer weights", shape.weight_count(), weights, n.name.view());
    require_count("weight scales", weight_maps(shape, n.numbers.weight).count(), maps, n.name.view());
    if (!n.numbers.activation.floating) require_count("integer biases", channels, biases, n.name.view());
}

/// Integers of a linear layer whose sums are float: the weights alone, by their own range.
inline void quantize_weights(const node& n, const layer_parameters& from, quantized_layer& to) {
    const convolution_shape shape = n.convolution();
    const number_format& format = n.numbers.weight;
    const weight_maps map_of(shape, format);
    std::vector<range> ranges(map_of.count(),
                              {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()});
    for_each_weight(shape, [&](const weight_place& w) {
        range& seen = ranges[map_of(w)];
        seen = {(std::min)(seen.min, from.weight[w.index]), (std::max)(seen.max, from.weight[w.index])};
    });
    const auto quantizers = choose_weight_quantizers(ranges, std::vector<double>(ranges.size(), 0.0), format);
    to.weight_map.clear();
    for (const weight_quantizer& q : quantizers) to.weight_map.push_back(q.map());
    to.weight.resize(from.weight.size());
    for_each_weight(shape,
                    [&](const weight_place& w) { to.weight[w.index] = quantizers[map_of(w)](from.weight[w.index]); });
    to.floating.bias = from.bias;
}

/// The scale and zero point of a node's output, the nodes before it having theirs. `seen` is the node's range.
template <class Nodes, class Layers>
void choose_output(const Nodes& nodes, std::size_t i, const range& seen, Layers& to) {
    const node& n = nodes[i];
    const number_format& format = n.numbers.activation;
    if (format.floating) return;
    if (n.traits().keeps_numbers)
        to[i].output = to[static_cast<std::size_t>(n.input())].output;
    else if (n.facts->fixed_output != nullptr)
        to[i].output = n.facts->fixed_output(format);
    else
        to[i].output = choose_affine(format, seen);
}

/// A linear node's integers, its input having its scale. `from` are its float parameters.
template <class Nodes, class Layers>
void quantize_layer(const Nodes& nodes, std::size_t i, const layer_parameters& from, Layers& to) {
    const node& n = nodes[i];
    const auto input = static_cast<std::size_t>(n.input());
    if (!n.numbers.activation.floating)
        quantize_linear(n, nodes[input].numbers.activation, to[input].output, from, to[i]);
    else if (!n.numbers.weight.floating)
        quantize_weights(n, from, to[i]);
    else
        to[i].floating = from;
}

/// One node's integers, the nodes before it having theirs. `from` and `seen` are its float parameters and its range.
template <class Nodes, class Layers>
void quantize_node(const Nodes& nodes, std::size_t i, const layer_parameters& from, const range& seen, Layers& to) {
    choose_output(nodes, i, seen, to);
    if (nodes[i].is_linear()) quantize_layer(nodes, i, from, to);
    if (nodes[i].has_own_parameters()) to[i].floating = from;
}

} // namespace detail

namespace detail {
template <graph_type Ranges, graph_type Parameters>
using ranges_verdict =
    std::conditional_t<std::is_same_v<Ranges, Parameters>, sound, ranges_of_another_network<Ranges, Parameters>>;
} // namespace detail

/// Quantizes a deployed network's parameters for the numbers chosen for it, given the ranges of its activations
/// (indexed like the deployed graph's nodes). Q is `numbers_chosen<G, ...>`.
template <rewritten_graph Q, graph_type R = typename Q::source>
quantized_parameters<Q> quantize_parameters(const parameters<typename Q::source>& from, const node_ranges<R>& ranges) {
    static_assert(check_ranges<detail::ranges_verdict<R, typename Q::source>>::passed);
    detail::require_sizes(Q::source::nodes, from.layers);
    quantized_parameters<Q> to;
    for (std::size_t i = 0; i < node_count<Q>; ++i) {
        const auto old = static_cast<std::size_t>(Q::origin[i]);
        detail::quantize_node(Q::nodes, i, from[old], ranges[old], to.layers);
    }
    return to;
}

} // namespace statiq
