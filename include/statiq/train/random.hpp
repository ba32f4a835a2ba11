// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>

namespace statiq {

/// Random numbers that are the same bits with every standard library. The engine's sequence is fixed by the standard;
/// its distributions and std::shuffle are not, so the mappings are here, and use no function of <cmath> whose last bit
/// a library may choose.
class random_numbers {
  public:
    /// Seed, and how many numbers the engine has given: enough to continue where it stopped.
    using position = std::array<std::uint64_t, 2>;

    explicit random_numbers(std::uint64_t seed) : seed_(seed), engine_(seed) {}
    explicit random_numbers(const position& at) : random_numbers(at[0]) {
        engine_.discard(at[1]);
        drawn_ = at[1];
    }
    [[nodiscard]] position at() const noexcept { return {seed_, drawn_}; }

    /// 64 random bits.
    std::uint64_t bits() {
        ++drawn_;
        return engine_();
    }
    /// Uniform among 0 … count - 1, each exactly as likely: numbers beyond the last whole multiple are drawn again.
    /// @param count at least 1
    std::uint64_t below(std::uint64_t count) {
        const std::uint64_t beyond = (0 - count) % count; // 2^64 modulo count
        std::uint64_t drawn = bits();
        while (drawn < beyond) drawn = bits();
        return drawn % count;
    }
    /// Uniform in [0, 1), a multiple of 2^-53.
    double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

    /// Fisher and Yates' shuffle: every order as likely as any other.
    template <class T>
    void shuffle(std::span<T> values) {
        for (std::size_t left = values.size(); left > 1; --left)
            std::swap(values[left - 1], values[static_cast<std::size_t>(below(left))]);
    }

  private:
    std::uint64_t seed_;
    std::uint64_t drawn_ = 0;
    std::mt19937_64 engine_;
};

} // namespace statiq
