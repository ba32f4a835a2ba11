// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/histogram.hpp>

#include <cstddef>

namespace statiq {

/// The range that leaves out a small share of the values at either end: from the (100 - share)th to the share-th
/// percentile, each to the width of a bin. An end at which the values pile up (zeros of a ReLU) stays in its bin.
struct percentile {
    double share = 99.99; ///< in percent, above 50, at most 100; `start` throws calibration_error otherwise
    std::size_t bins = 2048;

    struct state : histogram_state<false> {
        double share = 99.99;
        [[nodiscard]] range result() const noexcept {
            if (counted.counts.empty()) return seen.ends();
            return {static_cast<float>(counted.quantile(1 - share / 100)),
                    static_cast<float>(counted.quantile(share / 100))};
        }
        friend bool operator==(const state&, const state&) = default;
    };
    [[nodiscard]] static constexpr int passes() noexcept { return 2; }
    [[nodiscard]] state start(const node&) const {
        detail::require_setting(share > 50 && share <= 100, "percentile", "a share above 50, at most 100", share);
        detail::require_bins("percentile", bins);
        return {{.bins = bins}, share};
    }
};

} // namespace statiq
