// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/kernels/reference/taps.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/numeric/rounding.hpp>
#include <statiq/tensor/extents.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace statiq::kernels::reference {

/// A pool over one HWC image. Input and output have the same scale and zero point, so nothing is rescaled.
template <stored T>
struct pool_arguments {
    const T* input = nullptr; ///< in.height x in.width x in.channels
    extents in{};
    extents out{}; ///< out.channels == in.channels
    window over{};
    bound<T> lowest = unclamped_lowest<T>;   ///< a fused activation's lower bound, in stored units
    bound<T> highest = unclamped_highest<T>; ///< and its upper bound
    T* output = nullptr;                     ///< out.height x out.width x out.channels
};

/// The larger of two values; a NaN, if one of them is.
template <stored T>
[[nodiscard]] constexpr T larger(T a, T b) noexcept {
    const T most = (std::max)(a, b); // a, where a is a NaN: no b is greater
    if constexpr (stored_integer<T>)
        return most;
    else // all bits set are a NaN; without a branch, which compilers would not vectorize
        return std::bit_cast<T>(std::bit_cast<std::uint32_t>(most) | (math::is_nan(b) ? ~0U : 0U));
}

/// The largest value of the taps inside the image, then clamped: MAX_POOL_2D of TensorFlow Lite's reference kernels.
/// A window with no tap inside gives `lowest`, one with a NaN gives NaN (as in PyTorch; TensorFlow Lite drops it).
template <stored T>
constexpr void max_pool(const pool_arguments<T>& pool) noexcept {
    const auto channels = static_cast<std::size_t>(pool.in.channels);
    T* result = pool.output;
    for (int y = 0; y < pool.out.height; ++y)
        for (int x = 0; x < pool.out.width; ++x, result += channels) {
            std::fill_n(result, channels, static_cast<T>(pool.lowest));
            for_each_tap_inside(pool.in, pool.over, y, x, [&](std::size_t pixel) {
                const T* tap = pool.input + pixel * channels;
                for (std::size_t c = 0; c < channels; ++c) result[c] = larger(result[c], tap[c]);
            });
            for (std::size_t c = 0; c < channels; ++c) result[c] = (std::min)(result[c], static_cast<T>(pool.highest));
        }
}

/// The mean of the taps inside the image (their number, not the window's size, divides), then clamped:
/// AVERAGE_POOL_2D of TensorFlow Lite's reference kernels. Integers: the stored values are averaged as they are and
/// rounded half away from zero, so with a zero point other than 0 the rounding is not symmetric around real zero.
/// Floats are summed in double and rounded once. A window with no tap inside gives `lowest`.
/// @pre integers: taps * |q| < 2^31, that is up to 2^23 taps of 8 bits or 2^15 taps of 16 bits.
template <stored T>
constexpr void average_pool(const pool_arguments<T>& pool) noexcept {
    const auto channels = static_cast<std::size_t>(pool.in.channels);
    T* result = pool.output;
    for (int y = 0; y < pool.out.height; ++y)
        for (int x = 0; x < pool.out.width; ++x, result += channels)
            for (std::size_t first = 0; first < channels; first += channel_block) {
                const std::size_t block = std::min<std::size_t>(channel_block, channels - first);
                sum_of<T> sums[channel_block] = {};
                const int inside = for_each_tap_inside(pool.in, pool.over, y, x, [&](std::size_t pixel) {
                    const T* tap = pool.input + pixel * channels + first;
                    for (std::size_t c = 0; c < block; ++c) sums[c] += tap[c];
                });
                for (std::size_t c = 0; c < block; ++c) {
                    bound<T> mean = pool.lowest;
                    if (inside > 0) {
                        if constexpr (stored_integer<T>)
                            mean = static_cast<bound<T>>(divide<half_away>(sums[c], inside));
                        else
                            mean = static_cast<bound<T>>(sums[c] / inside);
                    }
                    result[first + c] = static_cast<T>(std::clamp(mean, pool.lowest, pool.highest));
                }
            }
}

} // namespace statiq::kernels::reference
