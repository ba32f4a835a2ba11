// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/histogram.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace statiq {

namespace detail {

/// Kullback-Leibler divergence of the first `kept` bins, the rest counted into the last of them, from the same bins in
/// `levels` levels; infinite where the latter says impossible and the former says possible.
inline double divergence(const std::vector<double>& bins, double beyond, std::size_t kept, std::size_t levels,
                         std::vector<double>& expanded) {
    const std::size_t merged = kept / levels;
    double in_levels = 0;
    for (std::size_t level = 0; level < levels; ++level) {
        const std::size_t first = level * merged;
        const std::size_t last = level + 1 == levels ? kept : first + merged;
        double sum = 0;
        std::size_t occupied = 0;
        for (std::size_t i = first; i < last; ++i) {
            sum += bins[i];
            if (bins[i] > 0) ++occupied;
        }
        in_levels += sum;
        for (std::size_t i = first; i < last; ++i)
            expanded[i] = bins[i] > 0 ? sum / static_cast<double>(occupied) : 0.0;
    }
    const double total = in_levels + beyond;
    if (in_levels <= 0) return std::numeric_limits<double>::infinity();
    double distance = 0;
    for (std::size_t i = 0; i < kept; ++i) {
        const double p = (bins[i] + (i + 1 == kept ? beyond : 0.0)) / total;
        if (p <= 0) continue;
        if (expanded[i] <= 0) return std::numeric_limits<double>::infinity();
        distance += p * std::log(p / (expanded[i] / in_levels));
    }
    return distance;
}

/// The number of bins to keep, of those from `levels` to one less than all: the least divergence, the first of equals.
/// All of them when every choice diverges.
inline std::size_t least_divergence(const std::vector<std::uint64_t>& counts, std::size_t levels) {
    std::vector<double> bins(counts.begin(), counts.end());
    std::vector<double> expanded(bins.size());
    double beyond = 0;
    for (std::size_t i = levels; i < bins.size(); ++i) beyond += bins[i];
    std::size_t best = bins.size();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t kept = levels; kept < bins.size(); ++kept) {
        const double here = divergence(bins, beyond, kept, levels, expanded);
        if (here < least) {
            least = here;
            best = kept;
        }
        beyond -= bins[kept];
    }
    return best;
}

} // namespace detail

/// The clipping threshold that loses least information (NVIDIA's recipe for TensorRT, P6 references 5 to 7): magnitudes
/// in 2048 bins of width w; for each m from `levels` on, P is the first m bins with everything beyond in the last, Q
/// the same bins without what is beyond, in `levels` levels, each level's counts spread over its occupied bins; the m
/// with the least KL(P || Q) gives the threshold (m + 1/2) w. The range is [-threshold, threshold], cut to what was
/// seen.
///
/// Public variants of the recipe are not equal to each other. Here: bin 0 counts like any other, unless `first_bin`
/// says otherwise (others drop it, or skip exact zeros: where a ReLU's zeros outnumber all else, they decide the
/// divergence); m bins go into levels of m / levels bins each, the last level takes the remainder (others split bins in
/// fractions); nothing is added to empty bins, so a threshold whose last bin is empty diverges (others smooth by 1e-4).
struct entropy {
    std::size_t bins = 2048;
    std::size_t levels = 128; ///< 2^(bits - 1): magnitudes use half of the integers
    bool first_bin = true;    ///< whether magnitudes below a bin's width count

    struct state : histogram_state<true> {
        std::size_t levels = 128;
        bool first_bin = true;
        [[nodiscard]] range result() const {
            const range ends = seen.ends();
            if (counted.total() == 0 || counted.counts.size() <= levels) return ends;
            std::vector<std::uint64_t> counts = counted.counts;
            if (!first_bin) counts[0] = 0;
            const std::size_t kept = detail::least_divergence(counts, levels);
            if (kept == counted.counts.size()) return ends;
            const auto threshold = static_cast<float>((static_cast<double>(kept) + 0.5) * counted.width());
            return {(std::max)(ends.min, -threshold), (std::min)(ends.max, threshold)};
        }
        friend bool operator==(const state&, const state&) = default;
    };
    [[nodiscard]] static constexpr int passes() noexcept { return 2; }
    [[nodiscard]] state start(const node&) const {
        detail::require_bins("entropy", bins);
        detail::require_setting(levels >= 1, "entropy", "at least one level", levels);
        return {{.bins = bins}, levels, first_bin};
    }
};

} // namespace statiq
