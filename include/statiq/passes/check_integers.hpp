// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/interval.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/integer_fault.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

/// Whether a network's integers are what its types say. The proof that no sum leaves int32 speaks of weights and zero
/// points of their formats and of biases that leave the sums room; integers that were made elsewhere may be others.
namespace statiq {

namespace detail {

/// By its bits: under -ffast-math compilers assume that nothing is a NaN or infinite.
[[nodiscard]] constexpr bool is_positive_finite(const float& x) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return bits > 0 && bits < 0x7F80'0000U;
}

/// Zero points of a format: those it stores, or 0 alone.
[[nodiscard]] constexpr interval zero_points_of(const number_format& format) noexcept {
    return format.has_zero_point ? interval_of(format) : interval{};
}

template <class Nodes, class Layers>
class integer_check {
  public:
    constexpr integer_check(const Nodes& nodes, const Layers& layers) : nodes_(nodes), layers_(layers) {}

    [[nodiscard]] constexpr std::optional<integer_fault> run() {
        for (at_ = 0; at_ < nodes_.size() && !fault_; ++at_) {
            const node& n = nodes_[at_];
            if (n.numbers.activation.floating) continue;
            check_map(layers_[at_].output, 0, n.numbers.activation, integer_part::scale, integer_part::zero_point);
            if (n.is_linear()) check_linear(n);
        }
        return fault_;
    }
    [[nodiscard]] constexpr std::optional<integer_fault> run_multipliers() {
        for (at_ = 0; at_ < nodes_.size() && !fault_; ++at_) {
            const node& n = nodes_[at_];
            if (n.numbers.activation.floating || n.is_source()) continue;
            if (n.is_linear())
                check_weight_multipliers(n);
            else if (!input_format(nodes_, n).floating)
                check_multiplier(n);
        }
        return fault_;
    }

  private:
    constexpr void refuse(integer_part part, const integer_fault& fault) {
        if (fault_) return;
        fault_ = fault;
        fault_->node = at_;
        fault_->part = part;
    }
    constexpr bool check_count(integer_part part, std::size_t found, std::size_t expected) {
        const interval allowed{static_cast<std::int64_t>(expected), static_cast<std::int64_t>(expected)};
        if (found != expected)
            refuse(part,
                   {.what = integer_fault::kind::count, .found = static_cast<std::int64_t>(found), .allowed = allowed});
        return found == expected;
    }
    constexpr void check_integer(integer_part part, std::size_t index, std::int64_t found, const interval& allowed) {
        if (!allowed.contains(found)) refuse(part, {.index = index, .found = found, .allowed = allowed});
    }
    constexpr void check_map(const affine& map, std::size_t index, const number_format& format, integer_part scale,
                             integer_part zero_point) {
        if (!is_positive_finite(map.scale))
            refuse(scale, {.what = integer_fault::kind::scale, .index = index, .real = map.scale});
        check_integer(zero_point, index, map.zero_point, zero_points_of(format));
    }

    constexpr void check_linear(const node& n) {
        const auto& layer = layers_[at_];
        const number_format& format = n.numbers.weight;
        const auto channels = static_cast<std::size_t>(n.out.channels);
        if (!check_count(integer_part::weight, layer.weight.size(), n.convolution().weight_count()) ||
            !check_count(integer_part::weight_scale, layer.weight_map.size(), channels) ||
            !check_count(integer_part::bias, layer.bias.size(), channels))
            return;
        const interval weights = interval_of(format);
        for (std::size_t i = 0; i < layer.weight.size(); ++i)
            check_integer(integer_part::weight, i, layer.weight[i], weights);
        for (std::size_t c = 0; c < channels; ++c)
            check_map(layer.weight_map[c], c, format, integer_part::weight_scale, integer_part::weight_zero_point);
        const interval biases = bias_interval(sums_of(n, input_format(nodes_, n)));
        for (std::size_t c = 0; c < channels; ++c) check_integer(integer_part::bias, c, layer.bias[c], biases);
    }

    [[nodiscard]] constexpr const float& input_scale(const node& n, std::size_t k) const {
        return layers_[static_cast<std::size_t>(n.inputs[k])].output.scale;
    }
    /// M = s_x * s_w / s_y below 2^30.
    constexpr void check_weight_multipliers(const node& n) {
        if (input_format(nodes_, n).floating) return;
        const auto& layer = layers_[at_];
        const auto input = static_cast<double>(input_scale(n, 0));
        const double limit = largest_multiplier * static_cast<double>(layer.output.scale);
        for (std::size_t c = 0; c < layer.weight_map.size(); ++c)
            if (const float& scale = layer.weight_map[c].scale; !(input * static_cast<double>(scale) < limit))
                refuse(integer_part::weight_scale,
                       {.what = integer_fault::kind::multiplier, .index = c, .real = scale});
    }
    /// What the operation says, or the largest s_x / s_y, below 2^30.
    constexpr void check_multiplier(const node& n) {
        std::array<float, max_inputs> scales{};
        const auto count = static_cast<std::size_t>(n.input_count);
        for (std::size_t k = 0; k < count; ++k) scales[k] = input_scale(n, k);
        const std::span<const float> inputs(scales.data(), count);
        const float& output = layers_[at_].output.scale;
        const double multiplier =
            n.facts->multiplier != nullptr
                ? n.facts->multiplier(inputs, output)
                : static_cast<double>(*std::max_element(inputs.begin(), inputs.end())) / static_cast<double>(output);
        if (!(multiplier < largest_multiplier))
            refuse(integer_part::scale, {.what = integer_fault::kind::multiplier, .real = output});
    }

    const Nodes& nodes_;
    const Layers& layers_;
    std::size_t at_ = 0;
    std::optional<integer_fault> fault_{};
};

} // namespace detail

/// The first number of a network's integers that its types or the proof of its sums exclude; empty when there is none.
/// Layers with float activations are not looked at.
/// @param nodes with their numbers chosen. @param layers one for each node: `quantized_layer`, or views of such parts
template <class Nodes, class Layers>
[[nodiscard]] constexpr std::optional<integer_fault> find_integer_fault(const Nodes& nodes, const Layers& layers) {
    return detail::integer_check<Nodes, Layers>(nodes, layers).run();
}

/// The first scale by which a multiplier (s_x s_w / s_y of a linear layer, what another operation says of its own)
/// reaches 2^30, where every scheme's range ends; empty when there is none. The numbers have no other fault.
template <class Nodes, class Layers>
[[nodiscard]] constexpr std::optional<integer_fault> find_multiplier_fault(const Nodes& nodes, const Layers& layers) {
    return detail::integer_check<Nodes, Layers>(nodes, layers).run_multipliers();
}

} // namespace statiq
