// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/blocked/prefetch.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace statiq::kernels::vectorized {

/// The steps of a run. At each step a tile multiplies a few inputs of every pixel by their weights.
template <class Weight>
struct run_of_steps {
    std::ptrdiff_t first; ///< offset of the first step's inputs from a pixel's first input
    std::ptrdiff_t last;  ///< offset of the last step's inputs, which may overlap the step before
    int steps;
    const Weight* weights;
    std::ptrdiff_t step_size; ///< distance between the weights of two steps

    /// A part of the run. @param inputs values per step
    [[nodiscard]] constexpr run_of_steps part(int begin, int count, std::ptrdiff_t inputs) const noexcept {
        const std::ptrdiff_t start = (std::min)(first + inputs * begin, last);
        return {start, (std::min)(start + inputs * (count - 1), last), count, weights + begin * step_size, step_size};
    }
    /// Number of steps of four inputs that do not overlap the step before.
    [[nodiscard]] constexpr int whole_steps() const noexcept { return static_cast<int>((last - first) / 4) + 1; }
};

/// Fetches the weights of some registers, `Size` values each, that a later step will read.
template <int Vectors, int Size, class Weight>
[[gnu::always_inline]] inline void fetch_weights(const Weight* w, std::ptrdiff_t step_size) noexcept {
    constexpr std::ptrdiff_t steps_ahead = 8, line = 64 / sizeof(Weight);
    simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
        if constexpr (v * Size % line == 0) __builtin_prefetch(w + v * Size + steps_ahead * step_size, 0, 3);
    });
}
/// The weights of a panel with no more steps, of 256 bytes each, stay in the first cache from one tile to the next.
inline constexpr int steps_in_first_cache = 64;

/// acc[p][v] += the products of pixel p's inputs, at x[p] + run.first, and the weights of register v, over all steps of
/// a run: at each step, Vectors loads of weights and Pixels broadcasts of inputs, straight from the image.
template <class Format, std::size_t Pixels, std::size_t Vectors>
[[gnu::always_inline]] inline void
multiply_steps(typename Format::accumulator (&acc)[Pixels][Vectors], const typename Format::input* const (&x)[Pixels],
               const run_of_steps<typename Format::weight>& run, prefetcher::lines& lines) noexcept {
    constexpr int pixels = int{Pixels}, vectors = int{Vectors}, size = Format::lanes * Format::inputs;
    const auto multiply = [&](auto fetches) __attribute__((always_inline)) {
        const typename Format::weight* w = run.weights;
        std::ptrdiff_t offset = run.first;
        for (int left = run.steps; left > 0; --left) {
            lines.read();
            if constexpr (fetches) fetch_weights<vectors, size>(w, run.step_size);
            typename Format::weights ws[Vectors];
            simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) { ws[v] = Format::load(w + v * size); });
            simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
                const auto xs = Format::broadcast(x[p] + offset);
                simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                    acc[p][v] = Format::multiply_add(acc[p][v], xs, ws[v]);
                });
            });
            offset = (std::min)(offset + Format::inputs, run.last);
            w += run.step_size;
        }
    };
    if (run.steps > steps_in_first_cache)
        multiply(std::true_type{});
    else
        multiply(std::false_type{});
}

} // namespace statiq::kernels::vectorized
