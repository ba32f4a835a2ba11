// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/interval.hpp>

#include <cstdint>
#include <limits>

namespace statiq::kernels {

/// The most sums of two products that kernels have use for: more than eight save less than they cost.
inline constexpr int most_pair_sums = 8;

/// How many sums of two products x * w fit int16 together, whatever the inputs x and the weights w are: 0, 1, 2, 4 or
/// 8. Inputs are taken as the unsigned operand of the dot product, weights as they are packed (weights.hpp). With
/// inputs of 8 bits: 1 for weights of 7 bits (2 * 255 * 64 < 2^15), 8 for weights of 4 bits, none for 8 bits.
[[nodiscard]] constexpr int exact_pair_sums(const interval& inputs, const interval& weights) noexcept {
    constexpr interval limits{(std::numeric_limits<std::int16_t>::min)(), (std::numeric_limits<std::int16_t>::max)()};
    const interval pair = hull(inputs * weights, interval{}).times(2);
    int sums = most_pair_sums;
    while (sums > 0 && !limits.contains(pair.times(sums))) sums /= 2;
    return sums;
}

} // namespace statiq::kernels
