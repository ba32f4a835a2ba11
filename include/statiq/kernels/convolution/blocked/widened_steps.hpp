// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/convolution/blocked/prefetch.hpp>
#include <statiq/kernels/convolution/blocked/steps.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>
#include <statiq/simd/opaque.hpp>
#include <statiq/simd/pair_accumulate.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// The inputs of one pixel, widened to 16 bits: even[s] holds inputs 0 and 2 of step s, odd[s] inputs 1 and 3.
template <int Steps>
struct widened_inputs {
    std::int32_t even[std::size_t{Steps}];
    std::int32_t odd[std::size_t{Steps}];

    /// @param x the pixel's first input.
    template <class Arch, class In>
    void take(const In* x, const run_of_steps<std::int8_t>& run) noexcept {
        using bytes = simd::batch<In, Arch>;
        constexpr int together = static_cast<int>(bytes::size) / 4;
        const int whole = run.whole_steps();
        if (whole >= together) {
            for (int step = 0; step < whole; step += together) {
                const int from = (std::min)(step, whole - together);
                const auto halves =
                    simd::split_bytes<Arch>(as_unsigned<Arch>(bytes::load_unaligned(x + run.first + 4 * from)));
                simd::bit_cast<std::int32_t>(halves[0]).store_unaligned(even + from);
                simd::bit_cast<std::int32_t>(halves[1]).store_unaligned(odd + from);
            }
        } else {
            for (int step = 0; step < whole; ++step) take_one(x + run.first + 4 * step, step);
        }
        if (whole < run.steps) take_one(x + run.last, whole);
    }

  private:
    template <class In>
    void take_one(const In* x, int step) noexcept {
        std::uint32_t four = 0;
        std::memcpy(&four, x, sizeof(four));
        if constexpr (std::is_signed_v<In>) four ^= 0x80808080U;
        even[step] = static_cast<std::int32_t>(four & 0x00ff00ffU);
        odd[step] = static_cast<std::int32_t>(four >> 8 & 0x00ff00ffU);
    }
};

/// `multiply_steps` by 16-bit products, whose sums are exact for any bytes. Weights are widened at every step, for all
/// pixels of the tile. Inputs are widened beforehand, for up to 64 steps at once. `sums` are the accumulators, in
/// memory, because this function is not inlined.
template <class Format, std::size_t Pixels, std::size_t Vectors>
[[gnu::noinline, gnu::flatten]] void multiply_widened_steps(typename Format::accumulator (&sums)[Pixels][Vectors],
                                                            const typename Format::input* const (&x)[Pixels],
                                                            const run_of_steps<std::int8_t>& run,
                                                            prefetcher::lines& shared_lines) noexcept {
    using arch = typename Format::arch;
    using accumulator = typename Format::accumulator;
    constexpr int pixels = int{Pixels}, vectors = int{Vectors}, size = Format::lanes * Format::inputs;
    constexpr int together = 64;
    widened_inputs<together> inputs[Pixels];
    prefetcher::lines lines = shared_lines;
    accumulator acc[Pixels][Vectors];
    const auto for_each = [&](auto&& visit) __attribute__((always_inline)) {
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
            simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) { visit(p, v); });
        });
    };
    for_each([&](auto p, auto v) __attribute__((always_inline)) { acc[p][v] = sums[p][v]; });
    const std::int8_t* w = run.weights;
    for (int done = 0; done < run.steps; done += together) {
        const auto part = run.part(done, (std::min)(run.steps - done, together), 4);
        for (int p = 0; p < pixels; ++p) inputs[p].template take<arch>(x[p], part);
        for (int step = 0; step < part.steps; ++step, w += run.step_size) {
            lines.read();
            fetch_weights<vectors, size>(w, run.step_size);
            simd::unroll<2>([&](auto half) __attribute__((always_inline)) {
                // Each half loads its weights again, which keeps the other half out of the registers.
                const std::int8_t* const from = simd::opaque(w);
                simd::batch<std::int16_t, arch> ws[Vectors];
                simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                    ws[v] = simd::split_bytes<arch>(Format::load(from + v * size))[half];
                });
                simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
                    const auto& halves = half == 0 ? inputs[p].even : inputs[p].odd;
                    const auto xs = simd::bit_cast<std::int16_t>(accumulator(halves[step]));
                    simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                        acc[p][v] = simd::pair_accumulate<arch>(acc[p][v], xs, ws[v]);
                    });
                });
            });
        }
    }
    for_each([&](auto p, auto v) __attribute__((always_inline)) { sums[p][v] = acc[p][v]; });
    shared_lines = lines;
}

} // namespace statiq::kernels::vectorized

#endif
