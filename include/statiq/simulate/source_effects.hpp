// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/simulate/loss_sources.hpp>
#include <statiq/simulate/round_sums.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

/// What loss sources do to the reals of one tensor. `map` and `format` are the tensor's numbers.
namespace statiq::detail {

/// Results without bounds may lie anywhere within these.
inline constexpr std::int32_t unbounded_level = std::int32_t{1} << 30;

/// The integer of a bound, whatever the format's limits.
inline std::int32_t level_of(float bound, const affine& map) noexcept {
    const double steps = nearest_away(bound / map.scale);
    return static_cast<std::int32_t>(std::clamp(steps + map.zero_point, -static_cast<double>(unbounded_level),
                                                static_cast<double>(unbounded_level)));
}

/// The integers between which the results of node `n` stay.
inline std::pair<std::int32_t, std::int32_t> integer_bounds(const node& n, const affine& map,
                                                            const loss_sources& sources) noexcept {
    const number_format& format = n.numbers.activation;
    const bool saturates = sources.takes(integer_step::saturated_results);
    std::int32_t lowest = saturates ? format.lowest : -unbounded_level;
    std::int32_t highest = saturates ? format.highest : unbounded_level;
    if (sources.takes(integer_step::integer_bounds)) {
        lowest = (std::max)(lowest, level_of(n.clamp.lowest, map));
        highest = (std::min)(highest, level_of(n.clamp.highest, map));
    }
    return {lowest, highest};
}

/// Reals of any value enter a tensor.
inline void enter_tensor(const number_format& format, const affine& map, const loss_sources& sources, const float* from,
                         std::size_t count, float* to) noexcept {
    const bool saturates = sources.takes(integer_step::saturated_results);
    if (sources.takes(integer_step::rounded_inputs) && !format.floating) {
        round_reals(from, to, count, map, saturates ? format.lowest : -unbounded_level,
                    saturates ? format.highest : unbounded_level);
    } else {
        const range ends = representable(map, format);
        const bool clamps = saturates && !format.floating;
        for (std::size_t i = 0; i < count; ++i) to[i] = clamps ? std::clamp(from[i], ends.min, ends.max) : from[i];
    }
}

/// Rounds results of node `n` to the integers of its output.
inline void round_to_output(const node& n, const affine& map, const loss_sources& sources, float* values,
                            std::size_t count) noexcept {
    const auto [lowest, highest] = integer_bounds(n, map, sources);
    round_reals(values, values, count, map, lowest, highest);
}

/// The clamps that remain when the integers' clamps are done, or not switched on.
inline void clamp_reals(const node& n, const affine& map, const loss_sources& sources, float* values,
                        std::size_t count) noexcept {
    real_clamp bounds = n.clamp;
    if (sources.takes(integer_step::integer_bounds)) {
        if (sources.takes(integer_step::rounded_results)) return; // done
        bounds = {dequantize(level_of(bounds.lowest, map), map), dequantize(level_of(bounds.highest, map), map)};
    }
    if (sources.takes(integer_step::saturated_results)) {
        const range ends = representable(map, n.numbers.activation);
        bounds = {(std::max)(bounds.lowest, ends.min), (std::min)(bounds.highest, ends.max)};
    }
    for (std::size_t i = 0; i < count; ++i) values[i] = std::clamp(values[i], bounds.lowest, bounds.highest);
}

} // namespace statiq::detail
