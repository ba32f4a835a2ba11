// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/reference/pool.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/conversions.hpp>
#include <statiq/simd/divide.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/narrow.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/round_half_away.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#ifndef STATIQ_NO_SIMD

/// Pools of bytes, in registers of channels.
namespace statiq::kernels::vectorized {

/// The taps of one output pixel that lie inside the image.
template <class T>
class pooled_taps {
  public:
    explicit pooled_taps(const reference::pool_arguments<T>& pool) noexcept : pool_(pool) {}

    void move_to(int y, int x) noexcept {
        const window& over = pool_.over;
        top_ = y * over.stride_height - over.pad_top;
        left_ = x * over.stride_width - over.pad_left;
        rows_ = inside(top_, over.kernel_height, over.dilation_height, pool_.in.height);
        columns_ = inside(left_, over.kernel_width, over.dilation_width, pool_.in.width);
    }
    [[nodiscard]] int count() const noexcept {
        return (std::max)(0, rows_.last - rows_.first) * (std::max)(0, columns_.last - columns_.first);
    }
    /// visit(values) for each: where its channels start.
    template <class Visit>
    [[gnu::always_inline]] void for_each(Visit&& visit) const noexcept {
        const std::ptrdiff_t channels = pool_.in.channels;
        for (int ky = rows_.first; ky < rows_.last; ++ky) {
            const T* row = pool_.input + static_cast<std::ptrdiff_t>(top_ + ky * pool_.over.dilation_height) *
                                             pool_.in.width * channels;
            for (int kx = columns_.first; kx < columns_.last; ++kx)
                visit(row + (left_ + kx * pool_.over.dilation_width) * channels);
        }
    }

  private:
    struct span {
        int first = 0, last = 0;
    };
    static span inside(int start, int taps, int step, int size) noexcept {
        const int first = start < 0 ? (step - 1 - start) / step : 0;
        const int last = start < size ? (std::min)(taps, (size - 1 - start) / step + 1) : 0;
        return {first, last};
    }

    const reference::pool_arguments<T>& pool_;
    int top_ = 0, left_ = 0;
    span rows_{}, columns_{};
};

/// compute(taps, first, lanes) for every output pixel and every register of its channels: stores `lanes` channels from
/// `first` on.
template <class Arch, class T, class Compute>
void for_each_pooled(const reference::pool_arguments<T>& pool, Compute compute) noexcept {
    constexpr int width = static_cast<int>(simd::batch<T, Arch>::size);
    const int channels = pool.in.channels;
    pooled_taps<T> taps(pool);
    T* to = pool.output;
    for (int y = 0; y < pool.out.height; ++y)
        for (int x = 0; x < pool.out.width; ++x, to += channels) {
            taps.move_to(y, x);
            for (int first = 0; first < channels; first += width) {
                const auto count = static_cast<std::size_t>((std::min)(width, channels - first));
                compute(taps, first, simd::first_lanes<T, Arch>(count), to + first);
            }
        }
}

/// Bits as `reference::max_pool`.
template <class Arch, class T>
[[gnu::flatten]] void max_pool(const reference::pool_arguments<T>& pool) noexcept {
    using bytes = simd::batch<T, Arch>;
    const auto lowest = static_cast<T>(pool.lowest), highest = static_cast<T>(pool.highest);
    for_each_pooled<Arch>(pool, [&](const auto& taps, int first, const auto& lanes, T* to) {
        bytes largest(lowest);
        taps.for_each([&](const T* values) { largest = (xsimd::max)(largest, lanes.load(values + first)); });
        lanes.store(to, (xsimd::min)(largest, bytes(highest)));
    });
}

/// The most taps whose mean a float quotient tells: sums have 24 bits, and a mean that is no tie is further from one
/// than a float of its size can err.
inline constexpr int most_averaged_taps = 4096;

/// Bits as `reference::average_pool`, for at most `most_averaged_taps`.
template <class Arch, class T>
[[gnu::flatten]] void average_pool(const reference::pool_arguments<T>& pool) noexcept {
    using words = simd::batch<std::int32_t, Arch>;
    using floats = simd::batch<float, Arch>;
    using unsigned_bytes = simd::batch<std::uint8_t, Arch>;
    constexpr std::int32_t offset{std::numeric_limits<T>::lowest()};
    const auto lowest = static_cast<T>(pool.lowest), highest = static_cast<T>(pool.highest);
    const simd::batch<std::int8_t, Arch> ones(std::int8_t{1});
    for_each_pooled<Arch>(pool, [&](const auto& taps, int first, const auto& lanes, T* to) {
        const int count = taps.count();
        if (count == 0) return lanes.store(to, simd::batch<T, Arch>(lowest));
        simd::quad<std::int32_t, Arch> sums;
        sums.fill(words(offset * count));
        // Four taps of a channel, interleaved, are one lane of a dot product with ones.
        unsigned_bytes four[4];
        int waiting = 0;
        const auto add = [&] {
            const auto x = simd::interleave<Arch>(four[0], four[1], four[2], four[3]);
            simd::unroll<4>([&](auto j) { sums[j] = simd::dot_accumulate<Arch>(sums[j], x[j], ones); });
            waiting = 0;
        };
        taps.for_each([&](const T* values) {
            four[waiting++] = as_unsigned<Arch>(lanes.load(values + first));
            if (waiting == 4) add();
        });
        if (waiting > 0) {
            while (waiting < 4) four[waiting++] = unsigned_bytes(std::uint8_t{0});
            add();
        }
        const floats divisor(static_cast<float>(count));
        simd::quad<std::int32_t, Arch> means;
        simd::unroll<4>([&](auto j) {
            means[j] = simd::round_half_away<Arch>(simd::divide<Arch>(simd::to_float<Arch>(sums[j]), divisor));
        });
        lanes.store(to, simd::clamp<Arch>(simd::narrow<T, Arch>(means, 0), lowest, highest));
    });
}

} // namespace statiq::kernels::vectorized

#endif
