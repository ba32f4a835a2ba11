// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/fixed_point.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/numeric/rounding.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

/// Functions of 16-bit integers in fixed point: TensorFlow Lite's reference kernels, bit for bit. Each is prepared for
/// the scales and is plain bytes then; called with an integer less its zero point (`centred`), it gives an integer less
/// its zero point, which the caller adds and clamps.
namespace statiq::kernels::reference {

namespace detail {

/// An integer in steps of 1 / 12288, which is 3 * 2^12.
struct scaled_by_12288 {
    std::int64_t multiplier = 0;
    int right_shift = 0;

    scaled_by_12288() = default;
    /// TensorFlow Lite takes a scale within 0.07% of a power of two for that power, if it is 2^-12 times 2^k for k from
    /// 0 to `most_doubled`; it does not take scales above 2.66.
    scaled_by_12288(float scale, int most_doubled) {
        const float log2 = std::log(scale) * (1.0F / std::log(2.0F));
        const std::int64_t whole = half_away{}(static_cast<double>(log2));
        if (std::abs(log2 - static_cast<float>(whole)) < 1e-3F && whole >= -12 && whole <= most_doubled - 12) {
            multiplier = std::int64_t{3} << (whole + 12);
            return;
        }
        double real = static_cast<double>(scale) * (3 * 4096);
        while (real <= 32767.0 / 2 && right_shift <= 30) {
            real *= 2;
            ++right_shift;
        }
        multiplier = static_cast<std::int64_t>((std::min)(real, 0x1p30));
    }
    [[nodiscard]] constexpr std::int64_t operator()(std::int32_t centred) const noexcept {
        const std::int64_t half = (std::int64_t{1} << right_shift) >> 1;
        return (centred * multiplier + half) >> right_shift;
    }
};

/// 65536 / (1 + e^(-i / 24)) for i from 0 to 255, less half of what the middle of the line to the next is wrong by.
class sigmoid_table {
  public:
    static constexpr std::int64_t last = 255;
    sigmoid_table() = default;
    static sigmoid_table made() {
        const auto value = [](double i) { return 65536 / (1 + std::exp(-i / 24)); };
        sigmoid_table table;
        for (int i = 0; i < last; ++i) {
            const double middle = value(i + 0.5), line = (value(i) + value(i + 1)) / 2;
            table.entries_[static_cast<std::size_t>(i)] =
                static_cast<std::uint16_t>(std::floor(value(i) + (middle - line) / 2 + 0.5));
        }
        table.entries_[last] = 65535;
        return table;
    }
    /// At x / 2^bits in steps of 1/24, times 2^bits; `beyond` from the last entry on.
    [[nodiscard]] constexpr std::int64_t at(std::int64_t x, int bits, std::int64_t beyond) const noexcept {
        const std::int64_t place = x >> bits;
        if (place >= last) return beyond;
        const auto i = static_cast<std::size_t>(place);
        const std::int64_t from = entries_[i], rest = x & ((std::int64_t{1} << bits) - 1);
        return (from << bits) + rest * (entries_[i + 1] - from);
    }
    [[nodiscard]] constexpr const std::array<std::uint16_t, last + 1>& entries() const noexcept { return entries_; }

  private:
    std::array<std::uint16_t, last + 1> entries_{};
};

} // namespace detail

/// The logistic function in steps of 2^-15.
class logistic_of_shorts {
  public:
    logistic_of_shorts() = default;
    explicit logistic_of_shorts(float scale) : to_steps_(scale, 0), table_(detail::sigmoid_table::made()) {}

    [[nodiscard]] constexpr std::int32_t operator()(std::int32_t centred) const noexcept {
        const std::int64_t x = to_steps_(centred);
        const std::int64_t y = table_.at(x < 0 ? -x : x, 9, 32767 * 1024); // in steps of 2^-25
        return static_cast<std::int32_t>(x >= 0 ? (y + 512) >> 10 : ((1 << 25) - y + 511) >> 10);
    }

  private:
    detail::scaled_by_12288 to_steps_{};
    detail::sigmoid_table table_{};
};

/// The hyperbolic tangent in steps of 2^-15: 2 sigmoid(2 x) - 1.
class tanh_of_shorts {
  public:
    tanh_of_shorts() = default;
    explicit tanh_of_shorts(float scale) : to_steps_(scale, 1), table_(detail::sigmoid_table::made()) {}

    [[nodiscard]] constexpr std::int32_t operator()(std::int32_t centred) const noexcept {
        const std::int64_t x = to_steps_(centred);
        const std::int64_t y = table_.at(x < 0 ? -x : x, 8, 65535 * 256); // in steps of 2^-24
        return static_cast<std::int32_t>(x >= 0 ? (y - (1 << 23) + 128) >> 8 : (-y + (1 << 23) + 127) >> 8);
    }

  private:
    detail::scaled_by_12288 to_steps_{};
    detail::sigmoid_table table_{};
};

} // namespace statiq::kernels::reference
