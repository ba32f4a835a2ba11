// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/depthwise/channels.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/multiply_add.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// float32: the float format of `depthwise_channels`.
template <class Arch>
struct float_depthwise_format {
    using input = float;
    using output = float;
    using arguments = float_convolution_arguments;
    using floats = simd::batch<float, Arch>;
    static constexpr int vectors = 2;
    static constexpr int lanes = static_cast<int>(floats::size);
    static constexpr int width = vectors * lanes;
    static constexpr int taps_per_step = 1;
    static constexpr int panel_blocks = 4;
    static constexpr int pixels = simd::register_count<Arch> == 32 ? 6 : 4;
    static constexpr bool skips_padding = true;
    using accumulator = std::array<floats, vectors>;

    static float padding(const arguments&) noexcept { return 0; }

    static constexpr std::size_t block_bytes = float_depthwise_block(std::size_t{width});
    class block {
      public:
        void prepare(const arguments& a, const convolution_shape& shape, int channel, int count) noexcept {
            lowest_ = a.lowest;
            highest_ = a.highest;
            count_ = count;
            const int channels = shape.out.channels;
            const auto fill = [&](const float* from, float* lane) {
                std::fill(std::copy_n(from, count, lane), lane + width, 0.0F);
            };
            for (int tap = 0; tap < shape.over.taps(); ++tap) fill(a.weights + tap * channels + channel, weights_[tap]);
            fill(a.bias + channel, start_);
        }

        [[gnu::always_inline]] void start(accumulator& acc) const noexcept {
            simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                acc[v] = floats::load_aligned(start_ + v * lanes);
            });
        }

        template <class Row>
        [[gnu::always_inline]] void multiply_add(accumulator& acc, int tap, Row row) const noexcept {
            simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                acc[v] = simd::multiply_add<Arch>(floats::load_unaligned(row(0) + v * lanes),
                                                  floats::load_aligned(weights_[tap] + v * lanes), acc[v]);
            });
        }

        [[gnu::always_inline]] void finish(const accumulator& acc, float* to) const noexcept {
            simd::unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                const floats y = simd::clamp<Arch>(acc[v], lowest_, highest_);
                const int left = count_ - v * lanes;
                if (left > 0)
                    simd::store_first<Arch>(to + v * lanes, y, static_cast<std::size_t>((std::min)(left, lanes)));
            });
        }

      private:
        float lowest_;
        float highest_;
        int count_;
        alignas(64) float weights_[std::size_t{most_depthwise_taps}][std::size_t{width}];
        alignas(64) float start_[std::size_t{width}];
    };
};

} // namespace statiq::kernels::vectorized

#endif
