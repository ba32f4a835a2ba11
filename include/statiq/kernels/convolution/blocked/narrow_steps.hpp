// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/blocked/prefetch.hpp>
#include <statiq/kernels/convolution/blocked/steps.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/opaque.hpp>
#include <statiq/simd/pair_products.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// `multiply_steps` for narrow numbers: 16 bits hold the sums of two products of `Format::pair_sums` steps, so sums are
/// widened only once per that many steps. The 32-bit accumulators are kept in memory meanwhile, which frees their
/// registers for the 16-bit sums.
template <class Format, std::size_t Pixels, std::size_t Vectors>
[[gnu::always_inline]] inline void multiply_narrow_steps(typename Format::accumulator (&acc)[Pixels][Vectors],
                                                         const typename Format::input* const (&x)[Pixels],
                                                         const run_of_steps<std::int8_t>& run,
                                                         prefetcher::lines& lines) noexcept {
    using arch = typename Format::arch;
    using accumulator = typename Format::accumulator;
    constexpr int pixels = int{Pixels}, vectors = int{Vectors}, size = Format::lanes * Format::inputs;
    constexpr int most = Format::pair_sums;
    const auto for_each = [&](auto&& visit) __attribute__((always_inline)) {
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
            simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) { visit(p, v); });
        });
    };
    alignas(64) std::int32_t memory[Pixels * Vectors * accumulator::size];
    std::int32_t* const waiting = simd::opaque(memory + 0);
    const auto place = [&](auto p, auto v) __attribute__((always_inline)) {
        return waiting + (p * vectors + v) * Format::lanes;
    };
    for_each([&](auto p, auto v) __attribute__((always_inline)) { acc[p][v].store_aligned(place(p, v)); });
    const std::int8_t* w = run.weights;
    std::ptrdiff_t offset = run.first;
    simd::batch<std::int16_t, arch> sums[Pixels][Vectors];
    const auto step = [&](std::ptrdiff_t inputs, auto is_first) __attribute__((always_inline)) {
        lines.read();
        fetch_weights<vectors, size>(w, run.step_size);
        typename Format::weights ws[Vectors];
        simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) { ws[v] = Format::load(w + v * size); });
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
            const auto xs = Format::broadcast(x[p] + inputs);
            simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                if constexpr (is_first)
                    sums[p][v] = simd::pair_products<arch>(xs, ws[v]);
                else
                    sums[p][v] = simd::add_pair_products<arch>(sums[p][v], xs, ws[v]);
            });
        });
        w = simd::opaque(w + run.step_size); // otherwise GCC computes an address for every step
    };
    const auto widen = [&]() __attribute__((always_inline)) {
        for_each([&](auto p, auto v) __attribute__((always_inline)) {
            simd::add_pairs<arch>(accumulator::load_aligned(place(p, v)), sums[p][v]).store_aligned(place(p, v));
        });
    };
    int left = run.steps;
    for (int whole = run.whole_steps() / most; whole > 0; --whole, left -= most, offset += most * Format::inputs) {
        simd::unroll<most>([&](auto s) __attribute__((always_inline)) {
            step(offset + s * Format::inputs, std::bool_constant<s == 0>{});
        });
        widen();
    }
    if (left > 0) {
        step((std::min)(offset, run.last), std::true_type{});
        while (--left > 0) {
            offset += Format::inputs;
            step((std::min)(offset, run.last), std::false_type{});
        }
        widen();
    }
    for_each([&](auto p, auto v)
                 __attribute__((always_inline)) { acc[p][v] = accumulator::load_aligned(place(p, v)); });
}

} // namespace statiq::kernels::vectorized

#endif
