// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/constants.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/passes/weight_maps.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <cstddef>
#include <vector>

namespace statiq::detail {

/// The reals that a linear layer's integers stand for. Biases of an integer layer are integers too, of step
/// input scale times weight scale.
inline layer_parameters dequantized_layer(const node& n, const quantized_layer& from, float input_scale) {
    const convolution_shape shape = n.convolution();
    const weight_maps map_of(shape, n.numbers.weight);
    layer_parameters real;
    real.weight.resize(shape.weight_count());
    for_each_weight(shape, [&](const weight_place& w) {
        real.weight[w.index] = dequantize(from.weight[w.index], from.weight_map[map_of(w)]);
    });
    if (n.numbers.activation.floating) {
        real.bias = from.floating.bias;
        return real;
    }
    for (std::size_t c = 0; c < static_cast<std::size_t>(shape.out.channels); ++c) {
        const double step = static_cast<double>(input_scale) * static_cast<double>(from.weight_map[c].scale);
        real.bias.push_back(static_cast<float>(step * from.bias[c]));
    }
    return real;
}

/// How an integer layer's sums become integers of its output: each channel's accumulator step, and the factor from
/// there.
template <class Scheme>
struct sum_rounding {
    std::vector<double> steps{};
    std::vector<typename Scheme::factor> factors{};
};

template <class Scheme>
sum_rounding<Scheme> prepare_sums(const node& n, const number_format& input, const quantized_layer& from,
                                  float input_scale, float output_scale) {
    sum_rounding<Scheme> made;
    for (std::size_t c = 0; c < static_cast<std::size_t>(n.out.channels); ++c) {
        const float weight_scale = from.weight_map[c].scale;
        made.steps.push_back(static_cast<double>(input_scale) * static_cast<double>(weight_scale));
        made.factors.push_back(
            Scheme::prepare(accumulator_multiplier(rounds_product(n, input), input_scale, weight_scale, output_scale)));
    }
    return made;
}

} // namespace statiq::detail
