// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/kernels/convolution/pixel_walk.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/narrow.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/shift_down.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// A register of inputs as the unsigned operand of the dot product: x - lowest of In.
template <class Arch, class In>
[[nodiscard]] inline simd::batch<std::uint8_t, Arch>
as_unsigned(xsimd::batch<In, simd::register_arch<Arch>> x) noexcept {
    if constexpr (std::is_signed_v<In>)
        return simd::bit_cast<std::uint8_t>(x ^ decltype(x)(In{-128}));
    else
        return x;
}

/// Accumulators to bytes in memory, as statiq::requantize, in vector registers.
template <class Arch, class Out>
class requantize_bytes {
    using words = simd::batch<std::int32_t, Arch>;
    using bytes = simd::batch<Out, Arch>;
    static constexpr int lanes = static_cast<int>(words::size);

  public:
    requantize_bytes() = default;
    template <class Arguments>
    explicit requantize_bytes(const Arguments& a) noexcept
        : zero_point_(a.output_zero_point), lowest_(static_cast<Out>(a.lowest)), highest_(static_cast<Out>(a.highest)),
          clamps_(lowest_ != std::numeric_limits<Out>::lowest() || highest_ != (std::numeric_limits<Out>::max)()) {}

    /// Lane l of acc[p][v] is output v * lanes + l of pixel p, as in `factors`. Of each pixel, the `written` outputs
    /// go to their place in `to`; as many pixels as four registers hold are narrowed together.
    /// @param is_whole a pixel's outputs are these and no others, so that neighbouring pixels are stored together.
    template <int Pixels, int Vectors, class Factors>
    [[gnu::always_inline]] void store_pixels(const words (&acc)[std::size_t{Pixels}][std::size_t{Vectors}],
                                             const Factors& factors, Out* to, const pixel_tile<Pixels>& at,
                                             const simd::first_lanes<Out, Arch>& written,
                                             bool is_whole) const noexcept {
        constexpr int together = (std::min)(4 / Vectors, Pixels);
        // Consecutive pixels are stored through one moving address: one address per pixel would leave a thin layer's
        // epilogue without registers. Other tiles collect their pixels here first, with room for a whole register
        // behind the last pixel.
        alignas(64) Out collected[std::size_t{Pixels * Vectors * lanes} + bytes::size];
        Out* place = at.consecutive ? to + at.first_output : collected;
        const std::ptrdiff_t step = at.consecutive ? at.output_step : Vectors * lanes;
        simd::unroll<(Pixels + together - 1) / together>([&](auto group) __attribute__((always_inline)) {
            constexpr int first = group * together;
            simd::quad<std::int32_t, Arch> scaled;
            simd::unroll<4>([&](auto i) __attribute__((always_inline)) {
                constexpr int p = first + i / Vectors, v = i % Vectors;
                if constexpr (i < together * Vectors && p < Pixels)
                    scaled[i] = factors.template apply<Arch>(acc[p][v], v * lanes);
                else
                    scaled[i] = scaled[0];
            });
            const bytes all = simd::from_block_order<Arch>(narrow(scaled));
            if constexpr (together > 1 && together * Vectors == 4 && first + together <= Pixels)
                if (is_whole) [[likely]] {
                    all.store_unaligned(place);
                    place += together * Vectors * lanes;
                    return;
                }
            simd::unroll<together>([&](auto i) __attribute__((always_inline)) {
                constexpr int p = first + i;
                if constexpr (p < Pixels) {
                    written.store(place, simd::shift_down<i * Vectors * lanes, Arch>(all));
                    place += step;
                }
            });
        });
        if (!at.consecutive) [[unlikely]]
            simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                written.store(to + at.output[p], written.load(collected + p * Vectors * lanes));
            });
    }

    /// Lane l of acc[j] is byte block_order(j, l) of the result, and lane j * lanes + l of `factors`.
    template <class Factors>
    [[nodiscard]] [[gnu::always_inline]] bytes of_blocks(const simd::quad<std::int32_t, Arch>& acc,
                                                         const Factors& factors) const noexcept {
        simd::quad<std::int32_t, Arch> scaled;
        simd::unroll<4>([&](auto j) __attribute__((always_inline)) {
            scaled[j] = factors.template apply<Arch>(acc[j], j * lanes);
        });
        return narrow(scaled);
    }
    /// Stores the `written` ones.
    template <class Factors>
    [[gnu::always_inline]] void store_blocks(const simd::quad<std::int32_t, Arch>& acc, const Factors& factors, Out* to,
                                             const simd::first_lanes<Out, Arch>& written) const noexcept {
        written.store(to, of_blocks(acc, factors));
    }

  private:
    [[gnu::always_inline]] bytes narrow(const simd::quad<std::int32_t, Arch>& scaled) const noexcept {
        const bytes all = simd::narrow<Out, Arch>(scaled, zero_point_);
        return clamps_ ? simd::clamp<Arch>(all, lowest_, highest_) : all;
    }

    std::int32_t zero_point_;
    Out lowest_;
    Out highest_;
    bool clamps_; ///< to less than narrowing does
};

} // namespace statiq::kernels::vectorized

#endif
