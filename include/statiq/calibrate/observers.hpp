// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/affine.hpp>

#include <algorithm>
#include <concepts>
#include <limits>

namespace statiq {

/// The range of one batch: the least and greatest value seen; empty until something is.
struct batch_range {
    float min = std::numeric_limits<float>::infinity();
    float max = -std::numeric_limits<float>::infinity();
    [[nodiscard]] bool empty() const noexcept { return min > max; }
};

/// An observer says how the ranges of batches become a tensor's range: `update(batch, range so far, first batch?)`.
template <class T>
concept observer = requires(const T& rule, const batch_range& seen, range& so_far) {
    { rule.update(seen, so_far, true) } -> std::same_as<void>;
};

/// The least and greatest value of all batches.
struct min_max {
    void update(const batch_range& seen, range& so_far, bool first) const noexcept {
        so_far =
            first ? range{seen.min, seen.max} : range{std::min(so_far.min, seen.min), std::max(so_far.max, seen.max)};
    }
};

/// Exponential moving average of the batches' ends: r <- momentum r + (1 - momentum) seen; the first batch sets r
/// (P3 section 3.1; P6 with momentum 0.95; PyTorch's averaging constant is 1 - momentum).
struct moving_average {
    float momentum = 0.95F; ///< in [0, 1)
    void update(const batch_range& seen, range& so_far, bool first) const noexcept {
        if (first) {
            so_far = {seen.min, seen.max};
            return;
        }
        so_far.min = momentum * so_far.min + (1.0F - momentum) * seen.min;
        so_far.max = momentum * so_far.max + (1.0F - momentum) * seen.max;
    }
};

} // namespace statiq
