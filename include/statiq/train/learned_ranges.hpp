// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/observers.hpp>
#include <statiq/numeric/affine.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace statiq {

/// How activations' ranges are learnt while a network trains: the batch's least and greatest value, averaged over
/// batches, range <- momentum range + (1 - momentum) of the batch; the first batch sets it (P3 3.2, P6).
struct activation_range_rule {
    float momentum = 0.99F;
    /// Steps in which activations stay reals while ranges are learnt already: a network that still changes quickly
    /// would be clipped by ranges that lag behind (P3 3.2).
    std::uint64_t delay = 0;
};

/// The learnt range of each activation, two floats that a checkpoint can keep: least and greatest.
class learned_ranges {
  public:
    explicit learned_ranges(std::size_t count) : ends_(2 * count) {}

    [[nodiscard]] range operator[](std::size_t index) const noexcept {
        return {ends_[2 * index], ends_[2 * index + 1]};
    }
    void set(std::size_t index, const range& to) noexcept {
        ends_[2 * index] = to.min;
        ends_[2 * index + 1] = to.max;
    }
    /// @param begins whether this is the first batch
    void learn(std::size_t index, const extremes& batch, float momentum, bool begins) noexcept {
        if (batch.empty()) return;
        const range seen = batch.ends();
        const range before = (*this)[index];
        const auto moved = [momentum](float from, float to) { return momentum * from + (1.0F - momentum) * to; };
        set(index, begins ? seen : range{moved(before.min, seen.min), moved(before.max, seen.max)});
    }
    [[nodiscard]] std::span<float> values(std::size_t index) noexcept { return {ends_.data() + 2 * index, 2}; }

  private:
    std::vector<float> ends_;
};

} // namespace statiq
