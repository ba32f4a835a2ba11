// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <algorithm>
#include <cstddef>

/// Sums over the pixels of an image or of many, for each channel: float within a block of pixels, double across blocks,
/// so that errors do not grow with the batch. Loops run over channels, which lie side by side; compilers vectorize
/// them.
namespace statiq::kernels {

/// Pixels summed in float.
inline constexpr std::size_t pixels_per_block = 64;
/// Channels whose sums lie on the stack.
inline constexpr std::size_t channels_per_block = 256;

/// Calls visit(first pixel, pixels, first channel, channels) for blocks of an image.
template <class Visit>
constexpr void for_each_block(std::size_t pixels, std::size_t channels, Visit&& visit) {
    for (std::size_t p = 0; p < pixels; p += pixels_per_block)
        for (std::size_t c = 0; c < channels; c += channels_per_block)
            visit(p, (std::min)(pixels_per_block, pixels - p), c, (std::min)(channels_per_block, channels - c));
}

namespace detail {

/// sums[c] = sum over rows of term(row, c); four rows at a time, so that sums wait for memory a quarter as often.
template <class Term>
[[gnu::always_inline]] inline void sum_rows(std::size_t rows, std::size_t channels, float* sums, Term term) {
    std::fill_n(sums, channels, 0.0F);
    std::size_t r = 0;
    for (; r + 4 <= rows; r += 4)
        for (std::size_t c = 0; c < channels; ++c)
            sums[c] += (term(r, c) + term(r + 1, c)) + (term(r + 2, c) + term(r + 3, c));
    for (; r < rows; ++r)
        for (std::size_t c = 0; c < channels; ++c) sums[c] += term(r, c);
}

} // namespace detail

/// sums[c] += sum over pixels of values[pixel][c].
inline void add_channel_sums(const float* values, std::size_t pixels, std::size_t channels, double* sums) noexcept {
    for_each_block(pixels, channels, [&](std::size_t p, std::size_t rows, std::size_t first, std::size_t count) {
        const float* block = values + p * channels + first;
        float part[channels_per_block];
        detail::sum_rows(rows, count, part, [=](std::size_t r, std::size_t c) { return block[r * channels + c]; });
        for (std::size_t c = 0; c < count; ++c) sums[first + c] += static_cast<double>(part[c]);
    });
}

/// The number, mean and squared distance from it of some values.
struct moments {
    double count = 0;
    double mean = 0;
    double squares = 0;

    /// Those of the union (Chan, Golub, LeVeque: Updating formulae and a pairwise algorithm for computing sample
    /// variances, 1979).
    constexpr void merge(const moments& other) noexcept {
        if (other.count == 0) return;
        const double all = count + other.count;
        const double apart = other.mean - mean;
        mean += apart * (other.count / all);
        squares += other.squares + apart * apart * (count * other.count / all);
        count = all;
    }
    friend constexpr bool operator==(const moments&, const moments&) = default;
};

/// Merges the moments of each channel's values into `to`. Distances are from the mean of a block, not from zero: their
/// squares do not cancel.
inline void add_moments(const float* values, std::size_t pixels, std::size_t channels, moments* to) noexcept {
    for_each_block(pixels, channels, [&](std::size_t p, std::size_t rows, std::size_t first, std::size_t count) {
        const float* block = values + p * channels + first;
        float mean[channels_per_block];
        float squares[channels_per_block];
        detail::sum_rows(rows, count, mean, [=](std::size_t r, std::size_t c) { return block[r * channels + c]; });
        const float share = 1.0F / static_cast<float>(rows);
        for (std::size_t c = 0; c < count; ++c) mean[c] *= share;
        float off[channels_per_block]; // of the mean as it was rounded
        detail::sum_rows(rows, count, off,
                         [=, &mean](std::size_t r, std::size_t c) { return block[r * channels + c] - mean[c]; });
        detail::sum_rows(rows, count, squares, [=, &mean](std::size_t r, std::size_t c) {
            const float apart = block[r * channels + c] - mean[c];
            return apart * apart;
        });
        const auto n = static_cast<double>(rows);
        for (std::size_t c = 0; c < count; ++c) {
            const double rest = static_cast<double>(off[c]) / n;
            to[first + c].merge({n, static_cast<double>(mean[c]) + rest,
                                 (std::max)(0.0, static_cast<double>(squares[c]) - rest * rest * n)});
        }
    });
}

} // namespace statiq::kernels
