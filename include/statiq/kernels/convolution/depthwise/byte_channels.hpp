// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/depthwise/channels.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/broadcast_group.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Bytes times bytes, summed in int32: the integer format of `depthwise_channels`. Four taps of a channel, interleaved,
/// are one lane of the dot product; the sums stay in block order until they are narrowed.
/// @tparam HasZeroPoints weights have zero points: the inputs are summed too.
template <class Arch, class In, class Out, class Scheme, bool HasZeroPoints>
struct byte_depthwise_format {
    using input = In;
    using output = Out;
    using arguments = convolution_arguments<In, std::int8_t, Out, Scheme>;
    using words = simd::batch<std::int32_t, Arch>;
    using unsigned_bytes = simd::batch<std::uint8_t, Arch>;
    using signed_bytes = simd::batch<std::int8_t, Arch>;
    static constexpr int lanes = static_cast<int>(words::size);
    static constexpr int width = 4 * lanes;
    static constexpr int taps_per_step = 4;
    static constexpr int panel_blocks = 4;
    static constexpr int pixels = simd::register_count<Arch> / (HasZeroPoints ? 16 : 8);
    static constexpr bool skips_padding = false; ///< what it reads is not zero, and counts

    struct accumulator {
        simd::quad<std::int32_t, Arch> products;
        simd::quad<std::int32_t, Arch> inputs; ///< used with zero points only
    };

    static In padding(const arguments& a) noexcept { return static_cast<In>(a.input_zero_point); }

    static constexpr std::size_t block_bytes = byte_depthwise_block(std::size_t{width}, lane_bytes_of<Scheme>);
    class block {
      public:
        void prepare(const arguments& a, const convolution_shape& shape, int channel, int count) noexcept {
            requantize_ = requantize_bytes<Arch, Out>(a);
            count_ = static_cast<std::size_t>(count);
            const int channels = shape.out.channels;
            const int taps = shape.over.taps();
            for (int step = 0; step * taps_per_step < taps; ++step) {
                alignas(64) std::int8_t rows[std::size_t{taps_per_step}][std::size_t{width}] = {};
                std::int8_t real[std::size_t{taps_per_step}] = {};
                for (int t = 0; t < (std::min)(taps_per_step, taps - step * taps_per_step); ++t) {
                    const std::int8_t* tap = a.weights + (step * taps_per_step + t) * channels + channel;
                    std::copy_n(tap, count, rows[t]);
                    real[t] = 1;
                }
                const auto row = [&](int t) { return signed_bytes::load_aligned(rows[t]); };
                const auto interleaved = simd::interleave<Arch>(row(0), row(1), row(2), row(3));
                simd::unroll<4>([&](auto j) { interleaved[j].store_aligned(weights_[step] + j * width); });
                if constexpr (HasZeroPoints) simd::broadcast_group<Arch>(real).store_aligned(ones_[step]);
            }
            for (std::size_t i = 0; i < static_cast<std::size_t>(width); ++i) {
                const std::size_t c = simd::block_order(i / lanes, i % lanes);
                const bool valid = c < count_;
                const std::size_t o = static_cast<std::size_t>(channel) + c;
                start_[i] = valid ? a.corrected_bias[o] : 0;
                if (valid) factors_.set(static_cast<int>(i), a.factors[o]);
                if constexpr (HasZeroPoints) zero_points_[i] = valid ? a.weight_zero_points[o] : 0;
            }
        }

        [[gnu::always_inline]] void start(accumulator& acc) const noexcept {
            simd::unroll<4>([&](auto j) __attribute__((always_inline)) {
                acc.products[j] = words::load_aligned(start_ + j * lanes);
                if constexpr (HasZeroPoints) acc.inputs[j] = words(0);
            });
        }

        template <class Row>
        [[gnu::always_inline]] void multiply_add(accumulator& acc, int step, Row row_at) const noexcept {
            const auto row = [&](int t) __attribute__((always_inline)) {
                return as_unsigned<Arch>(simd::batch<In, Arch>::load_unaligned(row_at(t)));
            };
            const auto x = simd::interleave<Arch>(row(0), row(1), row(2), row(3));
            simd::unroll<4>([&](auto j) __attribute__((always_inline)) {
                const auto w = signed_bytes::load_aligned(weights_[step] + j * width);
                acc.products[j] = simd::dot_accumulate<Arch>(acc.products[j], x[j], w);
                if constexpr (HasZeroPoints)
                    acc.inputs[j] =
                        simd::dot_accumulate<Arch>(acc.inputs[j], x[j], signed_bytes::load_aligned(ones_[step]));
            });
        }

        [[gnu::always_inline]] void finish(accumulator& acc, Out* to) const noexcept {
            if constexpr (HasZeroPoints)
                simd::unroll<4>([&](auto j) __attribute__((always_inline)) {
                    acc.products[j] -= words::load_aligned(zero_points_ + j * lanes) * acc.inputs[j];
                });
            requantize_.store_blocks(acc.products, factors_, to, simd::first_lanes<Out, Arch>(count_));
        }

      private:
        static constexpr int most_steps = most_depthwise_taps / taps_per_step;
        requantize_bytes<Arch, Out> requantize_;
        std::size_t count_;
        alignas(64) std::int8_t weights_[std::size_t{most_steps}][std::size_t{4 * width}];
        alignas(64) std::int8_t ones_[std::size_t{HasZeroPoints ? most_steps : 1}][std::size_t{width}];
        alignas(64) std::int32_t start_[std::size_t{width}];
        alignas(64) std::int32_t zero_points_[std::size_t{HasZeroPoints ? width : 1}];
        lane_factors<Scheme, width> factors_;
    };
};

} // namespace statiq::kernels::vectorized

#endif
