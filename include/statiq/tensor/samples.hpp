// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <concepts>
#include <cstddef>
#include <span>

namespace statiq {

/// A set of inputs: `size()` samples, each `samples[i]` a span of floats in HWC order that stays valid until the next
/// is asked for.
template <class T>
concept sample_set = requires(const T& samples, std::size_t index) {
    { samples.size() } -> std::convertible_to<std::size_t>;
    { samples[index] } -> std::convertible_to<std::span<const float>>;
};

/// The first `count` samples of a set.
template <sample_set Samples>
class first_samples {
  public:
    first_samples(const Samples& samples, std::size_t count)
        : samples_(&samples), count_(count < samples.size() ? count : samples.size()) {}
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] std::span<const float> operator[](std::size_t index) const { return (*samples_)[index]; }

  private:
    const Samples* samples_;
    std::size_t count_;
};

} // namespace statiq
