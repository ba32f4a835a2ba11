// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simulate/loss_sources.hpp>

#include <algorithm>
#include <cstddef>

namespace own {

/// Sums of a linear layer stay within 12 bits of the accumulator's steps, where there is one.
inline void keep_short(const statiq::loss_change& c) {
    for (std::size_t i = 0; i < c.values.size() && !c.steps.empty(); ++i) {
        const auto step = static_cast<float>(c.steps[i % c.steps.size()]);
        c.values[i] = std::clamp(c.values[i], -2048 * step, 2047 * step);
    }
}
inline constexpr statiq::loss_source short_sums{.name = "short sums", .sums = keep_short};

/// Weights below a hundredth are zero.
inline void drop_small(const statiq::node&, statiq::layer_parameters& values) {
    for (float& w : values.weight)
        if (w > -0.01F && w < 0.01F) w = 0;
}
inline constexpr statiq::loss_source small_weights{.name = "small weights", .weights = drop_small};

} // namespace own
