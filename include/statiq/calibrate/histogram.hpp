// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration_error.hpp>
#include <statiq/calibrate/observers.hpp>
#include <statiq/exceptions.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace statiq {

/// Counts of values in bins of equal width over [low, high]; the last bin includes its upper end.
struct histogram {
    float low = 0;
    float high = 0;
    std::vector<std::uint64_t> counts{};

    [[nodiscard]] double width() const noexcept {
        return (static_cast<double>(high) - static_cast<double>(low)) / static_cast<double>(counts.size());
    }
    [[nodiscard]] double centre(std::size_t bin) const noexcept {
        return static_cast<double>(low) + (static_cast<double>(bin) + 0.5) * width();
    }
    [[nodiscard]] std::uint64_t total() const noexcept {
        return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    }
    void add(float value) noexcept {
        const double span = static_cast<double>(high) - static_cast<double>(low);
        const double position = span > 0 ? (static_cast<double>(value) - static_cast<double>(low)) / span : 0.0;
        const double bin = std::clamp(position, 0.0, 1.0) * static_cast<double>(counts.size());
        ++counts[(std::min)(static_cast<std::size_t>(bin), counts.size() - 1)];
    }
    /// @throws calibration_error when the other one's bins lie elsewhere
    void merge(const histogram& other) {
        if (low != other.low || high != other.high || counts.size() != other.counts.size())
            throw calibration_error("histograms merge when their bins are the same: expected [" + std::to_string(low) +
                                    ", " + std::to_string(high) + "] in " + std::to_string(counts.size()) +
                                    ", found [" + std::to_string(other.low) + ", " + std::to_string(other.high) +
                                    "] in " + std::to_string(other.counts.size()) +
                                    " (merge in the first pass too: it finds the range)");
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    }
    /// The value that `share` (0 to 1) of all values do not exceed, linear within its bin.
    [[nodiscard]] double quantile(double share) const noexcept {
        const double wanted = share * static_cast<double>(total());
        double below = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            const auto here = static_cast<double>(counts[i]);
            if (here > 0 && below + here >= wanted)
                return static_cast<double>(low) +
                       (static_cast<double>(i) + (std::max)(0.0, wanted - below) / here) * width();
            below += here;
        }
        return static_cast<double>(high);
    }
    friend bool operator==(const histogram&, const histogram&) = default;
};

namespace detail {
/// @throws calibration_error where histograms cannot have that many
inline void require_bins(const char* observer, std::size_t bins) {
    require_setting(bins >= 1 && bins <= std::size_t{1} << 24, observer, "1 to 2^24 bins", bins);
}
} // namespace detail

/// What every observer by histogram keeps: in the first pass the extremes, in the second the counts between them.
/// @tparam Absolute whether magnitudes are counted, from 0 to the greatest.
template <bool Absolute>
struct histogram_state {
    std::size_t bins = 0;
    extremes seen{};
    histogram counted{}; ///< empty during the first pass

    void see(std::span<const float> values) noexcept {
        if (counted.counts.empty()) {
            seen.see(values);
        } else {
            for (const float x : values) counted.add(Absolute ? std::abs(x) : x);
        }
    }
    void end_batch() noexcept {}
    void end_pass() {
        if (!counted.counts.empty()) return;
        const range ends = seen.ends();
        counted.low = Absolute ? 0.0F : ends.min;
        counted.high = Absolute ? (std::max)(std::abs(ends.min), std::abs(ends.max)) : ends.max;
        counted.counts.resize(bins);
    }
    /// @throws calibration_error when one state is in its second pass with other extremes
    void merge(const histogram_state& other) {
        seen.merge(other.seen);
        if (!counted.counts.empty() || !other.counted.counts.empty()) counted.merge(other.counted);
    }
    friend bool operator==(const histogram_state&, const histogram_state&) = default;
};

} // namespace statiq
