// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/convolution/blocked/input_masks.hpp>
#include <statiq/kernels/convolution/blocked/prefetch.hpp>
#include <statiq/kernels/convolution/blocked/steps.hpp>
#include <statiq/kernels/convolution/blocked/widened_steps.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/pair_products.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#ifndef STATIQ_NO_SIMD

/// `multiply_steps` for bytes on instruction sets that saturate the sum of two products at 16 bits. Two inputs whose
/// sum is at most 256 never saturate it, and most inputs are that small. All inputs are tested, many steps at once. If
/// few steps have larger inputs, those steps are corrected afterwards. If many have, all steps are widened instead.
namespace statiq::kernels::vectorized {

/// Steps of one test: one bit each.
inline constexpr int checked_together = 64;

/// Bit s: some pixel has inputs at step s that are too large for `simd::pair_products`.
/// @param steps non-overlapping steps: at most `checked_together`, and enough to fill a register
template <class Arch, class In, std::size_t Pixels>
[[gnu::always_inline]] inline std::uint64_t large_steps(const In* const (&x)[Pixels], std::ptrdiff_t first,
                                                        int steps) noexcept {
    using bytes = simd::batch<In, Arch>;
    constexpr int together = static_cast<int>(bytes::size) / 4;
    std::uint64_t large = 0;
    for (int step = 0; step < steps; step += together) {
        const int from = (std::min)(step, steps - together);
        simd::batch<std::int16_t, Arch> largest(std::int16_t{0});
        simd::unroll<int{Pixels}>([&](auto p) __attribute__((always_inline)) {
            const auto inputs = as_unsigned<Arch>(bytes::load_unaligned(x[p] + first + 4 * from));
            const simd::batch<std::int8_t, Arch> ones(std::int8_t{1});
            largest = (xsimd::max)(largest, simd::pair_products<Arch>(inputs, ones));
        });
        large |= std::uint64_t{simd::pairs_above<Arch>(largest, simd::largest_exact_pair)} << from;
    }
    return large;
}

/// Replaces the saturated products of some steps by the exact ones.
/// @param large one bit per step to replace
template <class Format, std::size_t Pixels, std::size_t Vectors>
[[gnu::noinline, gnu::flatten]] void correct_large_steps(typename Format::accumulator (&sums)[Pixels][Vectors],
                                                         const typename Format::input* const (&x)[Pixels],
                                                         const run_of_steps<std::int8_t>& run,
                                                         std::uint64_t large) noexcept {
    using arch = typename Format::arch;
    constexpr int vectors = int{Vectors}, size = Format::lanes * Format::inputs;
    for (; large != 0; large &= large - 1) {
        const int step = std::countr_zero(large);
        const std::int8_t* const w = run.weights + step * run.step_size;
        const std::ptrdiff_t offset = (std::min)(run.first + std::ptrdiff_t{4} * step, run.last);
        for (std::size_t p = 0; p < Pixels; ++p) {
            const auto xs = Format::broadcast(x[p] + offset);
            simd::unroll<vectors>([&](auto v) {
                const auto ws = Format::load(w + v * size);
                sums[p][v] = simd::subtract_pairs<arch>(sums[p][v], simd::pair_products<arch>(xs, ws));
                sums[p][v] = simd::dot_accumulate<arch>(sums[p][v], xs, ws);
            });
        }
    }
}

/// @tparam InPairs the format for small inputs
template <class Format, class InPairs, std::size_t Pixels, std::size_t Vectors>
[[gnu::always_inline]] inline void
multiply_checked_steps(typename Format::accumulator (&acc)[Pixels][Vectors],
                       const typename Format::input* const (&x)[Pixels], const run_of_steps<std::int8_t>& run,
                       prefetcher::lines& lines, input_masks::sequence& masks) noexcept {
    using arch = typename Format::arch;
    using accumulator = typename Format::accumulator;
    constexpr int pixels = int{Pixels}, vectors = int{Vectors};
    constexpr int least = Format::lanes; // steps that fill a register of inputs
    const auto through_memory = [&](auto&& change) __attribute__((always_inline)) {
        accumulator sums[Pixels][Vectors];
        const auto for_each = [&](auto&& visit) __attribute__((always_inline)) {
            simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
                simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) { visit(p, v); });
            });
        };
        for_each([&](auto p, auto v) __attribute__((always_inline)) { sums[p][v] = acc[p][v]; });
        change(sums);
        for_each([&](auto p, auto v) __attribute__((always_inline)) { acc[p][v] = sums[p][v]; });
    };
    for (int done = 0; done < run.steps; done += checked_together) {
        const auto part = run.part(done, (std::min)(run.steps - done, checked_together), 4);
        if (part.whole_steps() < least) {
            multiply_steps<Format>(acc, x, part, lines);
            continue;
        }
        const int whole = part.whole_steps();
        const std::uint64_t overlapping = whole < part.steps ? std::uint64_t{1} << whole : 0;
        const std::uint64_t large = overlapping | masks.next([&]() __attribute__((always_inline)) {
            return large_steps<arch>(x, part.first, whole);
        });
        if (4 * std::popcount(large) > part.steps) {
            through_memory([&](auto& sums) { multiply_widened_steps<Format>(sums, x, part, lines); });
            continue;
        }
        multiply_steps<InPairs>(acc, x, part, lines);
        if (large != 0) [[unlikely]]
            through_memory([&](auto& sums) { correct_large_steps<Format>(sums, x, part, large); });
    }
}

} // namespace statiq::kernels::vectorized

#endif
