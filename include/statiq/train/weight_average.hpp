// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/train/expect_count.hpp>
#include <statiq/train/trainable.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace statiq {

/// An exponential moving average of the trainables' values: average += (1 - decay) (value - average), begun with the
/// values of its construction. P2 (figure 15) finds that it harms quantized training: the average of weights lies
/// elsewhere between two integers than the weights that were trained there.
class weight_average {
  public:
    weight_average(double decay, std::span<const trainable> of) : share_(static_cast<float>(1 - decay)) {
        for (const trainable& one : of) averages_.emplace_back(one.values.begin(), one.values.end());
    }

    /// After an optimizer's step. @param of the trainables of the construction
    /// @throws std::invalid_argument when they are others
    void add(std::span<const trainable> of) {
        expect(of);
        for (std::size_t i = 0; i < of.size(); ++i)
            for (std::size_t k = 0; k < averages_[i].size(); ++k)
                averages_[i][k] += share_ * (of[i].values[k] - averages_[i][k]);
    }
    /// Puts the averages where the values are and keeps the values; a second call undoes the first.
    void exchange(std::span<const trainable> of) {
        expect(of);
        for (std::size_t i = 0; i < of.size(); ++i)
            for (std::size_t k = 0; k < averages_[i].size(); ++k) std::swap(averages_[i][k], of[i].values[k]);
    }
    [[nodiscard]] std::span<std::vector<float>> averages() noexcept { return averages_; }

  private:
    void expect(std::span<const trainable> of) const {
        detail::expect_count("averaged parameters", averages_.size(), of.size());
        for (std::size_t i = 0; i < of.size(); ++i)
            detail::expect_count("values of an averaged parameter", averages_[i].size(), of[i].values.size());
    }

    float share_;
    std::vector<std::vector<float>> averages_;
};

} // namespace statiq
