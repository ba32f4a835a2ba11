// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/arguments.hpp>
#include <statiq/kernels/blocked_convolution.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/clamp.hpp>
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
    using accumulator = simd::batch<float, Arch>;
    using weights = accumulator;
    static constexpr int lanes = static_cast<int>(accumulator::size);
    static constexpr int inputs = 1;
    static constexpr bool may_need_sums = false;
    static constexpr int max_vectors = simd::register_count<Arch> == 32 ? 4 : 2;

    static constexpr int tile_pixels(int vectors) noexcept {
        return std::min(12, (simd::register_count<Arch> - vectors - 1) / vectors);
    }
    static float padding(const arguments&) noexcept { return 0; }

    static weights load(const float* w) noexcept { return weights::load_unaligned(w); }
    static accumulator broadcast(const float* x) noexcept { return accumulator(*x); }
    static accumulator multiply_add(accumulator acc, accumulator x, weights w) noexcept {
        return xsimd::fma(x, w, acc);
    }

    template <int Vectors>
    class outputs {
      public:
        static constexpr bool needs_sums = false;

        outputs(const arguments& a, int channel, int count) noexcept
            : lowest_(a.lowest), highest_(a.highest), count_(count) {
            for (int i = 0; i < Vectors * lanes; ++i) start_[i] = i < count ? a.bias[channel + i] : 0;
        }

        [[nodiscard]] accumulator start(int v) const noexcept { return accumulator::load_aligned(start_ + v * lanes); }

        [[gnu::always_inline]] void finish(const accumulator (&acc)[std::size_t{Vectors}], std::int32_t,
                                           float* to) const noexcept {
            simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                const accumulator y = simd::clamp<Arch>(acc[v], lowest_, highest_);
                if constexpr (v + 1 < Vectors)
                    y.store_unaligned(to + v * lanes);
                else
                    simd::store_first<Arch>(to + v * lanes, y, static_cast<std::size_t>(count_ - v * lanes));
            });
        }

      private:
        float lowest_;
        float highest_;
        int count_;
        alignas(64) float start_[std::size_t{Vectors * lanes}];
    };
};

} // namespace statiq::kernels::vectorized

#endif
