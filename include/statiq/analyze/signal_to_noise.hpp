// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace statiq {

/// Signal and noise power of a tensor, summed over samples.
struct signal_to_noise {
    double signal = 0; ///< sum of x^2
    double noise = 0;  ///< sum of (x - y)^2
    std::size_t count = 0;

    void add(float reference, float approximation) noexcept {
        const double x = static_cast<double>(reference);
        const double error = x - static_cast<double>(approximation);
        signal += x * x;
        noise += error * error;
        ++count;
    }
    /// Many values at once, in sums of eight: the order of additions differs from one at a time.
    void add(const float* reference, const float* approximation, std::size_t size) noexcept {
        constexpr std::size_t lanes = 8;
        std::array<double, lanes> power{};
        std::array<double, lanes> error{};
        const std::size_t whole = size / lanes * lanes;
        for (std::size_t i = 0; i < whole; i += lanes)
            for (std::size_t k = 0; k < lanes; ++k) {
                const double x = static_cast<double>(reference[i + k]);
                const double d = x - static_cast<double>(approximation[i + k]);
                power[k] += x * x;
                error[k] += d * d;
            }
        for (std::size_t k = 0; k < lanes; ++k) {
            signal += power[k];
            noise += error[k];
        }
        count += whole;
        for (std::size_t i = whole; i < size; ++i) add(reference[i], approximation[i]);
    }
    signal_to_noise& operator+=(const signal_to_noise& other) noexcept {
        signal += other.signal;
        noise += other.noise;
        count += other.count;
        return *this;
    }
    /// Signal-to-quantization-noise ratio in dB (P1 (6)); infinite without noise.
    [[nodiscard]] double sqnr() const noexcept {
        if (noise <= 0) return std::numeric_limits<double>::infinity();
        return 10.0 * std::log10(signal / noise);
    }
    [[nodiscard]] double mean_squared_error() const noexcept {
        return count == 0 ? 0.0 : noise / static_cast<double>(count);
    }
};

/// The ratio in dB that uniform noise of one quantization step gives (P1 (7)-(8)): step = (max - min) / (2^bits - 1),
/// noise step^2 / 12. At 8 bits: 58.92 dB - 10 log10((max - min)^2 / power).
/// @param power the mean of the squares
inline double theoretical_sqnr(double power, double min, double max, int bits) {
    const double step = (max - min) / (std::exp2(bits) - 1);
    return 10 * std::log10(power) - 20 * std::log10(step) + 10 * std::log10(12.0);
}

} // namespace statiq
