// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/numeric/interval.hpp>

#include <array>
#include <cstddef>

namespace statiq::operations {

/// What convolutions and dense layers have in common. Their integers are packed and run by the executions themselves.
struct linear {
    static constexpr std::size_t weight_count(const node& n) { return n.convolution().weight_count(); }
    static constexpr std::size_t bias_count(const node& n) {
        return n.has_bias ? static_cast<std::size_t>(n.out.channels) : 0;
    }
    static constexpr std::array<parameter_tensor, 2> tensors{
        {{"weight", &layer_parameters::weight, weight_count}, {"bias", &layer_parameters::bias, bias_count}}};

    /// Of products of centred inputs and weights.
    static constexpr interval sums(const node& n, const number_format& input) {
        return accumulator_interval(input, n.numbers.weight, n.convolution().reduction());
    }
    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        c.convolve();
    }
};

} // namespace statiq::operations
