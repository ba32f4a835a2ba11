// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration_error.hpp>
#include <statiq/exceptions.hpp>
#include <statiq/graph/node.hpp>
#include <statiq/numeric/affine.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

namespace statiq {

/// An observer is a rule; what it has seen of one tensor is a state of its own, which `rule.start(node)` begins.
///   see(values)    one sample's values of the tensor, all finite
///   end_batch()    the samples since the last such call were one batch (a moving average averages over batches)
///   end_pass()     the calibration data are through; `rule.passes()` says how often they are shown
///   merge(other)   as if what `other` has seen in this pass had been seen here, after the rest
///   result()       the tensor's range
/// States that saw different shares of the data (other threads, other machines) merge before each pass ends.
template <class T>
concept observer = requires(const T& rule, const node& tensor, typename T::state& seen, std::span<const float> values) {
    { rule.passes() } -> std::convertible_to<int>;
    { rule.start(tensor) } -> std::same_as<typename T::state>;
    seen.see(values);
    seen.end_batch();
    seen.end_pass();
    seen.merge(std::as_const(seen));
    { std::as_const(seen).result() } -> std::same_as<range>;
};

/// The least and greatest of some values; empty until there are any.
struct extremes {
    float min = std::numeric_limits<float>::infinity();
    float max = -std::numeric_limits<float>::infinity();

    [[nodiscard]] bool empty() const noexcept { return min > max; }
    void see(std::span<const float> values) noexcept {
        // Sixteen at a time: one chain of comparisons would be as slow as the network.
        constexpr std::size_t lanes = 16;
        std::array<float, lanes> low;
        std::array<float, lanes> high;
        low.fill(min);
        high.fill(max);
        const std::size_t whole = values.size() / lanes * lanes;
        for (std::size_t i = 0; i < whole; i += lanes)
            for (std::size_t k = 0; k < lanes; ++k) {
                const float x = values[i + k];
                low[k] = x < low[k] ? x : low[k];
                high[k] = x > high[k] ? x : high[k];
            }
        for (std::size_t i = whole; i < values.size(); ++i) {
            low[0] = (std::min)(low[0], values[i]);
            high[0] = (std::max)(high[0], values[i]);
        }
        min = *std::min_element(low.begin(), low.end());
        max = *std::max_element(high.begin(), high.end());
    }
    void merge(const extremes& other) noexcept {
        min = (std::min)(min, other.min);
        max = (std::max)(max, other.max);
    }
    [[nodiscard]] range ends() const noexcept { return empty() ? range{} : range{min, max}; }
    friend bool operator==(const extremes&, const extremes&) = default;
};

/// The least and greatest value of all samples.
struct min_max {
    struct state {
        extremes seen{};
        void see(std::span<const float> values) noexcept { seen.see(values); }
        void end_batch() noexcept {}
        void end_pass() noexcept {}
        void merge(const state& other) noexcept { seen.merge(other.seen); }
        [[nodiscard]] range result() const noexcept { return seen.ends(); }
        friend bool operator==(const state&, const state&) = default;
    };
    [[nodiscard]] static constexpr int passes() noexcept { return 1; }
    [[nodiscard]] state start(const node&) const noexcept { return {}; }
};

/// Exponential moving average of the batches' ends: r <- momentum r + (1 - momentum) seen; the first batch sets r
/// (P3 section 3.1; P6 with momentum 0.95; PyTorch's averaging constant is 1 - momentum).
struct moving_average {
    float momentum = 0.95F; ///< in [0, 1); `start` throws calibration_error otherwise

    struct state {
        float momentum = 0.95F;
        extremes batch{}; ///< of the batch that is not over yet
        range average{};
        range first{}; ///< the first batch's ends
        std::int64_t batches = 0;
        bool over = false; ///< the first pass: later ones show the same data again

        void see(std::span<const float> values) noexcept {
            if (!over) batch.see(values);
        }
        void end_batch() noexcept {
            if (batch.empty()) return;
            if (batches++ == 0) {
                average = first = batch.ends();
            } else {
                average.min = momentum * average.min + (1.0F - momentum) * batch.min;
                average.max = momentum * average.max + (1.0F - momentum) * batch.max;
            }
            batch = {};
        }
        void end_pass() noexcept {
            end_batch();
            over = true;
        }
        /// The other's batches come after these. Its average began with its first batch at full weight; here that
        /// batch has weight 1 - momentum, and what was before the rest.
        void merge(const state& other) noexcept {
            if (over || other.batches == 0) return;
            if (batches == 0) {
                *this = other;
                return;
            }
            const auto rest = static_cast<float>(std::pow(static_cast<double>(momentum), other.batches));
            average.min = rest * (average.min - other.first.min) + other.average.min;
            average.max = rest * (average.max - other.first.max) + other.average.max;
            batches += other.batches;
        }
        [[nodiscard]] range result() const noexcept { return average; }
        friend bool operator==(const state&, const state&) = default;
    };
    [[nodiscard]] static constexpr int passes() noexcept { return 1; }
    [[nodiscard]] state start(const node&) const {
        detail::require_setting(momentum >= 0 && momentum < 1, "moving_average", "a momentum in [0, 1)", momentum);
        return {.momentum = momentum};
    }
};

} // namespace statiq
