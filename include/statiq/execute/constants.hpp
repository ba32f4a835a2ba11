// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_parameters.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/numeric/affine.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace statiq::detail {

/// The clamp of a node's integers: the format's limits, narrowed by its activation (P3 section 2.4).
constexpr void set_clamp(const node& n, const affine& output, std::int32_t& lowest, std::int32_t& highest) {
    const number_format& format = n.numbers.activation;
    lowest = format.lowest;
    highest = format.highest;
    switch (n.applied()) {
    case activation::none:
        break;
    case activation::relu:
        lowest = quantize(0.0F, output, format);
        break;
    case activation::relu6:
        lowest = quantize(0.0F, output, format);
        highest = quantize(6.0F, output, format);
        break;
    case activation::relu_n1_to_1:
        lowest = quantize(-1.0F, output, format);
        highest = quantize(1.0F, output, format);
        break;
    }
}

/// The real multiplier M = s_x * s_w / s_y of an output channel (P3 (5)), with every rounding where TensorFlow Lite has
/// it: a fully connected layer with one weight scale, and every layer on unsigned bytes with one, rounds the product of
/// scales to float; all others do not.
constexpr double accumulator_multiplier(bool rounds_product, float input_scale, float weight_scale,
                                        float output_scale) {
    const double product = rounds_product ? static_cast<double>(input_scale * weight_scale)
                                          : static_cast<double>(input_scale) * static_cast<double>(weight_scale);
    return product / static_cast<double>(output_scale);
}

/// Which layers those are.
constexpr bool rounds_product(const node& n, const number_format& input) {
    const bool single_scale = n.out.channels == 1 || n.numbers.weight.per == granularity::tensor;
    return single_scale && (n.kind == operation::dense || !input.is_signed());
}

/// What a node that is not linear needs besides its clamp. `scale_of(index)` is the scale of a node's output, `scale`
/// this one's.
template <class Nodes, class ScaleOf, class Scheme>
constexpr void set_factors_of(const Nodes& nodes, const node& n, const ScaleOf& scale_of, float scale,
                              node_constants<Scheme>& constants) {
    if (n.kind == operation::input) return;
    const auto input = [&n](int k) { return static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)]); };
    const auto ratio = [&](int k) { return static_cast<double>(scale_of(input(k))) / static_cast<double>(scale); };
    if (n.kind == operation::add) {
        std::array<float, max_inputs> scales{};
        int widest = 0;
        for (int k = 0; k < n.input_count; ++k) {
            scales[static_cast<std::size_t>(k)] = scale_of(input(k));
            widest = (std::max)(widest, nodes[input(k)].numbers.activation.bits);
        }
        constants.join = kernels::reference::prepare_add<Scheme>(
            std::span<const float>(scales.data(), static_cast<std::size_t>(n.input_count)), scale, widest);
    } else if (n.kind == operation::concat) {
        for (int k = 0; k < n.input_count; ++k)
            constants.join.inputs[static_cast<std::size_t>(k)] = Scheme::prepare(ratio(k));
    } else if (n.kind == operation::global_average_pool) {
        constants.factor = Scheme::prepare_mean(ratio(0), static_cast<std::int64_t>(n.in.pixels()));
    } else if (n.kind == operation::convert) {
        constants.factor = Scheme::prepare(ratio(0));
    } else if (n.kind == operation::softmax) {
        constants.softmax = kernels::reference::prepare_softmax(scale_of(input(0)));
    }
}

} // namespace statiq::detail
