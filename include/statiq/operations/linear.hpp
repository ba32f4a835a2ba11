// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/numeric/interval.hpp>

#include <array>
#include <cstddef>

/// What convolutions and dense layers have in common.
namespace statiq::operations {

inline constexpr std::array<parameter_tensor, 2> linear_tensors{{
    {"weight", &layer_parameters::weight, [](const node& n) { return n.convolution().weight_count(); }},
    {"bias", &layer_parameters::bias,
     [](const node& n) { return n.has_bias ? static_cast<std::size_t>(n.out.channels) : 0; }},
}};

/// Of products of centred inputs and weights.
constexpr interval linear_sums(const node& n, const number_format& input) {
    return accumulator_interval(input, n.numbers.weight, n.convolution().reduction());
}

} // namespace statiq::operations
