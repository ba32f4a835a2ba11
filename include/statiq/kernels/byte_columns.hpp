// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/arguments.hpp>
#include <statiq/kernels/depthwise_columns.hpp>
#include <statiq/kernels/lane_factors.hpp>
#include <statiq/kernels/requantize_bytes.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/broadcast_group.hpp>
#include <statiq/simd/dot_operand.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Bytes times bytes, summed in int32, for weights without zero points: the integer format of `depthwise_columns` and
/// `depthwise_rows`. Four rows of a column, interleaved, are one lane of the dot product; the sums stay in block order
/// until they are narrowed.
template <class Arch, class In, class Out, class Scheme>
struct byte_columns_format {
    using input = In;
    using output = Out;
    using arguments = convolution_arguments<In, std::int8_t, Out, Scheme>;
    using words = simd::batch<std::int32_t, Arch>;
    using accumulator = simd::quad<std::int32_t, Arch>;
    using inputs = simd::dot_operand<Arch, std::uint8_t>;
    using weights = simd::dot_operand<Arch, std::int8_t>;
    static constexpr int lanes = static_cast<int>(words::size);
    static constexpr int width = 4 * lanes;
    static constexpr int panel_blocks = 4;
    static constexpr int rows_per_group = 4;
    static constexpr int groups(int rows) noexcept { return (rows + rows_per_group - 1) / rows_per_group; }
    static constexpr int most_rows = 5;

    static In padding(const arguments& a) noexcept { return static_cast<In>(a.input_zero_point); }

    /// What a row keeps in registers while it stores: nothing there may alias.
    template <int>
    struct row_constants {
        simd::first_lanes<In, Arch> read;
        simd::first_lanes<Out, Arch> written;
        requantize_bytes<Arch, Out> requantize;
    };

    template <int K>
    struct column {
        std::array<inputs, 4> groups[std::size_t(byte_columns_format::groups(K))];

        explicit column(In padding) noexcept {
            const auto all = inputs::of(as_unsigned<Arch>(simd::batch<In, Arch>(padding)));
            for (auto& group : groups) group = {all, all, all, all};
        }
        /// @param row row(ky): where that row's channels start.
        template <class Row>
        [[gnu::always_inline]] column(Row row, const row_constants<K>& constants) noexcept {
            simd::unroll<byte_columns_format::groups(K)>([&](auto g) __attribute__((always_inline)) {
                const auto load = [&](auto i) __attribute__((always_inline)) {
                    // Rows that complete the last group have weight zero.
                    constexpr int ky = std::min(g * rows_per_group + int{i}, K - 1);
                    return as_unsigned<Arch>(constants.read.load(row(std::integral_constant<int, ky>{})));
                };
                using std::integral_constant;
                const auto bytes =
                    simd::interleave<Arch>(load(integral_constant<int, 0>{}), load(integral_constant<int, 1>{}),
                                           load(integral_constant<int, 2>{}), load(integral_constant<int, 3>{}));
                simd::unroll<4>([&](auto j) __attribute__((always_inline)) { groups[g][j] = inputs::of(bytes[j]); });
            });
        }
    };

    class block {
      public:
        /// @param pixels of a run whose channels fill the block together: the constants repeat.
        void prepare(const arguments& a, const convolution_shape& shape, int channel, int channels,
                     int pixels = 1) noexcept {
            const auto count = static_cast<std::size_t>(channels * pixels);
            read_ = simd::first_lanes<In, Arch>(count);
            written_ = simd::first_lanes<Out, Arch>(count);
            requantize_ = requantize_bytes<Arch, Out>(a);
            padding_ = padding(a);
            rows_ = shape.over.kernel_height;
            columns_ = shape.over.kernel_width;
            const auto repeated = [&]<class T>(const T* from, T(&to)[std::size_t{width}]) {
                for (int pixel = 0; pixel < pixels; ++pixel)
                    std::copy_n(from + channel, channels, to + pixel * channels);
                std::fill(to + channels * pixels, to + width, T{});
            };
            for (int g = 0; g < groups(rows_); ++g)
                for (int kx = 0; kx < columns_; ++kx) {
                    const auto row = [&](int i) {
                        const int ky = g * rows_per_group + i;
                        alignas(64) std::int8_t weights[std::size_t{width}] = {};
                        if (ky < rows_) repeated(a.weights + (ky * columns_ + kx) * shape.out.channels, weights);
                        return simd::batch<std::int8_t, Arch>::load_aligned(weights);
                    };
                    const auto interleaved = simd::interleave<Arch>(row(0), row(1), row(2), row(3));
                    for (std::size_t j = 0; j < 4; ++j) whole_[g][kx][j] = weights::of(interleaved[j]);
                }
            const auto in_block_order = [&]<class T>(const T* from, T* to) {
                T all[std::size_t{width}];
                repeated(from, all);
                for (int part = 0; part < 4; ++part)
                    for (int lane = 0; lane < lanes; lane += 4)
                        std::copy_n(
                            all + simd::block_order(static_cast<std::size_t>(part), static_cast<std::size_t>(lane)), 4,
                            to + part * lanes + lane);
            };
            in_block_order(a.corrected_bias, whole_start_);
            typename Scheme::factor factors[std::size_t{width}];
            in_block_order(a.factors, factors);
            factors_.set_first(factors, width);
        }

        /// For windows whose rows before `first` and from `last` lie outside the image: the sums count on the padding
        /// these would read, and their weights become zero.
        void take_rows(int first, int last) noexcept {
            start_ = whole_start_;
            weights_ = whole_;
            if (first == 0 && last == rows_) return;
            start_ = cut_start_;
            weights_ = cut_;
            const auto outside = inputs::of(as_unsigned<Arch>(simd::batch<In, Arch>(padding_)));
            for (std::size_t j = 0; j < 4; ++j) {
                std::int32_t* const to = cut_start_ + static_cast<int>(j) * lanes;
                words start = words::load_aligned(whole_start_ + static_cast<int>(j) * lanes);
                for (int g = 0; g < groups(rows_); ++g) {
                    std::int8_t inside[std::size_t{rows_per_group}];
                    for (int i = 0; i < rows_per_group; ++i) {
                        const int ky = g * rows_per_group + i;
                        inside[i] = ky >= first && ky < last ? -1 : 0;
                    }
                    const auto mask = weights::of(simd::broadcast_group<Arch>(inside));
                    for (int kx = 0; kx < columns_; ++kx) {
                        const weights& all = whole_[g][kx][j];
                        cut_[g][kx][j] = all & mask;
                        start = simd::dot_accumulate<Arch>(start, outside, all ^ cut_[g][kx][j]);
                    }
                }
                start.store_aligned(to);
            }
        }

        template <int K>
        [[nodiscard]] row_constants<K> constants() const noexcept {
            return {read_, written_, requantize_};
        }

        [[nodiscard]] [[gnu::always_inline]] accumulator start() const noexcept {
            accumulator acc;
            simd::unroll<4>([&](auto j)
                                __attribute__((always_inline)) { acc[j] = words::load_aligned(start_ + j * lanes); });
            return acc;
        }

        template <int Kx, int K>
        [[gnu::always_inline]] void multiply_add(accumulator& acc, const column<K>& x,
                                                 const row_constants<K>&) const noexcept {
            simd::unroll<groups(K)>([&](auto g) __attribute__((always_inline)) {
                simd::unroll<4>([&](auto j) __attribute__((always_inline)) {
                    acc[j] = simd::dot_accumulate<Arch>(acc[j], x.groups[g][j], weights_[g][Kx][j]);
                });
            });
        }

        template <int K>
        [[gnu::always_inline]] void finish(const accumulator& acc, const row_constants<K>& constants,
                                           Out* to) const noexcept {
            constants.requantize.store_blocks(acc, factors_, to, constants.written);
        }

      private:
        using interleaved_weights = weights[std::size_t{most_rows}][4];

        simd::first_lanes<In, Arch> read_;
        simd::first_lanes<Out, Arch> written_;
        requantize_bytes<Arch, Out> requantize_;
        In padding_;
        int rows_;
        int columns_;
        const std::int32_t* start_; ///< of all rows of the window, or of those inside the image
        const interleaved_weights* weights_;
        alignas(64) interleaved_weights whole_[std::size_t(groups(most_rows))];
        alignas(64) interleaved_weights cut_[std::size_t(groups(most_rows))];
        alignas(64) std::int32_t whole_start_[std::size_t{width}];
        alignas(64) std::int32_t cut_start_[std::size_t{width}];
        lane_factors<Scheme, width> factors_;
    };
};

} // namespace statiq::kernels::vectorized

#endif
