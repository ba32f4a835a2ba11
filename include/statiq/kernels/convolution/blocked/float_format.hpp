// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/blocked/input_masks.hpp>
#include <statiq/kernels/convolution/blocked/loop.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/multiply_add.hpp>
#include <statiq/simd/opaque.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// float32: the float format of `convolve_blocked`.
template <class Arch>
struct float_format {
    using input = float;
    using weight = float;
    using output = float;
    using arguments = float_convolution_arguments;
    using sum = float;
    using accumulator = simd::batch<float, Arch>;
    using input_masks = no_input_masks;
    using weights = accumulator;
    static constexpr int lanes = static_cast<int>(accumulator::size);
    static constexpr int inputs = 1;
    static constexpr bool has_smaller_tiles = false;
    static constexpr bool may_have_zero_points = false;
    static constexpr bool gathers_in_registers = false;
    static constexpr int max_vectors = simd::register_count<Arch> == 32 ? 4 : 2;

    static constexpr int tile_pixels(int vectors) noexcept {
        return (std::min)(12, (simd::register_count<Arch> - vectors - 1) / vectors);
    }
    static float padding(const arguments&) noexcept { return 0; }
    static std::int32_t unsigned_padding(const arguments&) noexcept { return 0; }
    static bool padding_counts(const arguments&) noexcept { return false; }

    static weights load(const float* w) noexcept { return weights::load_unaligned(w); }
    static accumulator broadcast(const float* x) noexcept { return accumulator(*x); }
    static accumulator multiply_add(accumulator acc, accumulator x, weights w) noexcept {
        return simd::multiply_add<Arch>(x, w, acc);
    }

    template <std::size_t Pixels, std::size_t Vectors>
    [[gnu::always_inline]] static void multiply(accumulator (&acc)[Pixels][Vectors], const float* const (&x)[Pixels],
                                                const run_of_steps<float>& run, prefetcher::lines& lines,
                                                no_input_masks::sequence&) noexcept {
        multiply_steps<float_format>(acc, x, run, lines);
    }

    template <int Vectors>
    class outputs {
      public:
        struct tile_constants {
            static constexpr bool has_zero_points = false;
            float lowest;
            float highest;
            simd::first_lanes<float, Arch> written; ///< of the last register
        };

        outputs(const arguments& a, const convolution_shape&, int channel, int count) noexcept
            : constants_{a.lowest, a.highest,
                         simd::first_lanes<float, Arch>(static_cast<std::size_t>(count - (Vectors - 1) * lanes))} {
            for (int i = 0; i < Vectors * lanes; ++i) start_[i] = i < count ? a.bias[channel + i] : 0;
        }

        [[nodiscard]] tile_constants constants() const noexcept { return constants_; }
        [[nodiscard]] accumulator start(int v) const noexcept { return accumulator::load_aligned(start_ + v * lanes); }

        template <int Pixels>
        [[gnu::always_inline]] void finish(const accumulator (&acc)[std::size_t{Pixels}][std::size_t{Vectors}],
                                           const tile_constants& constants, float* to,
                                           const pixel_tile<Pixels>& at) const noexcept {
            const float lowest = simd::reloaded(constants.lowest), highest = simd::reloaded(constants.highest);
            simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                    const accumulator y = simd::clamp<Arch>(acc[p][v], lowest, highest);
                    float* out = to + at.output_of(p) + v * lanes;
                    if constexpr (v + 1 < Vectors)
                        y.store_unaligned(out);
                    else
                        constants.written.store(out, y);
                });
            });
        }

      private:
        tile_constants constants_;
        alignas(64) float start_[std::size_t{Vectors * lanes}];
    };
};

} // namespace statiq::kernels::vectorized

#endif
