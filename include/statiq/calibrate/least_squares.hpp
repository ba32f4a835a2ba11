// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/histogram.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/number.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace statiq {

/// The mean squared error of the histogram's values, taken at the centres of their bins, in the integers of a range.
inline double quantization_error(const histogram& values, const number_format& format, range r) {
    const affine map = choose_affine(format, r);
    double sum = 0;
    for (std::size_t i = 0; i < values.counts.size(); ++i) {
        if (values.counts[i] == 0) continue;
        const double x = values.centre(i);
        const double error = x - static_cast<double>(fake_quantize(static_cast<float>(x), map, format));
        sum += static_cast<double>(values.counts[i]) * error * error;
    }
    return sum / static_cast<double>(std::max<std::uint64_t>(values.total(), 1));
}

/// The range with the least mean squared error, by search over a histogram of 2048 bins: the upper end moves down in
/// `steps` equal steps to zero, then the lower end up likewise, and both once more, each to the best place.
struct least_squares {
    number_format format = quantized<8, asymmetric>::format; ///< the numbers the tensor will have
    std::size_t bins = 2048;
    int steps = 128;

    struct state : histogram_state<false> {
        number_format format{};
        int steps = 128;

        [[nodiscard]] range result() const {
            const range ends = seen.ends();
            if (counted.total() == 0 || format.floating) return ends;
            range best = ends;
            double least = quantization_error(counted, format, best);
            for (int round = 0; round < 2; ++round)
                for (float range::*end : {&range::max, &range::min})
                    for (int k = 1; k < steps; ++k) {
                        range tried = best;
                        tried.*end = ends.*end * static_cast<float>(k) / static_cast<float>(steps);
                        if (!(tried.min <= tried.max)) continue;
                        const double error = quantization_error(counted, format, tried);
                        if (error < least) {
                            least = error;
                            best = tried;
                        }
                    }
            return best;
        }
        friend bool operator==(const state&, const state&) = default;
    };
    [[nodiscard]] static constexpr int passes() noexcept { return 2; }
    [[nodiscard]] state start(const node&) const {
        detail::require_bins("least_squares", bins);
        detail::require_setting(steps >= 1 && steps <= 65536, "least_squares", "1 to 65536 steps", steps);
        return {{.bins = bins}, format, steps};
    }
};

} // namespace statiq
