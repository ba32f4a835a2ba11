// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/depthwise/columns.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/broadcast_group.hpp>
#include <statiq/simd/dot_operand.hpp>
#include <statiq/simd/halves.hpp>
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

/// Bytes times bytes, summed in int32: the integer format of `depthwise_columns` and `depthwise_rows`. Four rows of a
/// column, interleaved, are one lane of the dot product; the sums stay in block order until they are narrowed.
/// @tparam ZeroPoints weights have zero points, which are subtracted from them. The difference needs nine bits: where
/// the dot product takes bytes, it is the sum of two. These reach from -256 to 254, so that a zero point of -128, whose
/// differences reach 255, has its sums taken negative.
/// @tparam RowPairs 0: a register holds channels of one row. Otherwise two output rows share each register, half of it
/// each, because the channels fill no more than half; their windows are RowPairs rows of the image apart.
template <class Arch, class In, class Out, class Scheme, bool ZeroPoints, int RowPairs = 0>
struct byte_columns_format {
    using input = In;
    using output = Out;
    using arguments = convolution_arguments<In, std::int8_t, Out, Scheme>;
    using words = simd::batch<std::int32_t, Arch>;
    using accumulator = simd::quad<std::int32_t, Arch>;
    using inputs = simd::dot_operand<Arch, std::uint8_t>;
    using operand = simd::dot_operand<Arch, std::int8_t>;
    static constexpr std::size_t terms = ZeroPoints && !operand::is_widened ? 2 : 1;
    using operands = std::array<operand, terms>;
    static constexpr int lanes = static_cast<int>(words::size);
    static constexpr int output_rows = RowPairs > 0 ? 2 : 1;
    static constexpr int size = 4 * lanes; ///< of a register, in bytes
    static constexpr int width = size / output_rows;
    static constexpr int image_rows(int window) noexcept { return window + RowPairs; }
    static constexpr int panel_blocks = 4;
    static constexpr int rows_per_group = 4;
    static constexpr bool skips_padding = false; ///< what it reads is not zero, and counts
    static constexpr int groups(int rows) noexcept { return (rows + rows_per_group - 1) / rows_per_group; }

    using part_arch = std::conditional_t<RowPairs == 0, Arch, simd::half_arch<Arch>>;
    using read_lanes = simd::first_lanes<In, part_arch>;
    using written_lanes = simd::first_lanes<Out, part_arch>;

    static In padding(const arguments& a) noexcept { return static_cast<In>(a.input_zero_point); }

    /// What a row keeps in registers while it stores: nothing there may alias.
    template <int>
    struct row_constants {
        read_lanes read;
        written_lanes written;
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
                    constexpr int ky = (std::min)(g * rows_per_group + int{i}, K - 1);
                    const auto first = constants.read.load(row(std::integral_constant<int, ky>{}));
                    if constexpr (RowPairs == 0)
                        return as_unsigned<Arch>(first);
                    else
                        return as_unsigned<Arch>(simd::join_halves<Arch>(
                            first, constants.read.load(row(std::integral_constant<int, ky + RowPairs>{}))));
                };
                using std::integral_constant;
                const auto bytes =
                    simd::interleave<Arch>(load(integral_constant<int, 0>{}), load(integral_constant<int, 1>{}),
                                           load(integral_constant<int, 2>{}), load(integral_constant<int, 3>{}));
                simd::unroll<4>([&](auto j) __attribute__((always_inline)) { groups[g][j] = inputs::of(bytes[j]); });
            });
        }
    };

    static constexpr std::size_t block_bytes(int window) noexcept {
        return byte_columns_block(window, std::size_t{size}, lane_bytes_of<Scheme>);
    }
    /// @tparam Window its rows and columns
    template <int Window>
    class block {
      public:
        /// @param pixels of a run whose channels fill the block together: the constants repeat.
        void prepare(const arguments& a, const convolution_shape& shape, int channel, int channels,
                     int pixels = 1) noexcept {
            const auto count = static_cast<std::size_t>(channels * pixels);
            read_ = read_lanes(count);
            written_ = written_lanes(count);
            output_row_ = static_cast<std::ptrdiff_t>(shape.out.width) * shape.out.channels;
            requantize_ = requantize_bytes<Arch, Out>(a);
            padding_ = padding(a);
            rows_ = shape.over.kernel_height;
            columns_ = shape.over.kernel_width;
            const auto repeated = [&]<class T>(const T* from, T(&to)[std::size_t{size}]) {
                std::fill_n(to, size, T{});
                for (int row = 0; row < output_rows; ++row)
                    for (int pixel = 0; pixel < pixels; ++pixel)
                        std::copy_n(from + channel, channels, to + row * width + pixel * channels);
            };
            [[maybe_unused]] std::int32_t zero_points[std::size_t{size}];
            if constexpr (ZeroPoints) repeated(a.weight_zero_points, zero_points);
            for (int g = 0; g < groups(rows_); ++g)
                for (int kx = 0; kx < columns_; ++kx) {
                    alignas(64) std::int8_t weights[std::size_t{rows_per_group}][std::size_t{size}] = {};
                    alignas(64) std::int8_t rest[std::size_t{rows_per_group}][std::size_t{size}] = {};
                    for (int i = 0; i < (std::min)(rows_per_group, rows_ - g * rows_per_group); ++i) {
                        const int ky = g * rows_per_group + i;
                        repeated(a.weights + (ky * columns_ + kx) * shape.out.channels, weights[i]);
                        if constexpr (ZeroPoints) split(weights[i], zero_points, rest[i]);
                    }
                    const auto interleaved = [](const auto& rows) {
                        const auto row = [&](int i) { return simd::batch<std::int8_t, Arch>::load_aligned(rows[i]); };
                        return simd::interleave<Arch>(row(0), row(1), row(2), row(3));
                    };
                    operands(&to)[4] = whole_.weights[g][kx];
                    const auto all = interleaved(weights);
                    for (std::size_t j = 0; j < 4; ++j) to[j][0] = operand::of(all[j]);
                    if constexpr (ZeroPoints) {
                        const auto others = interleaved(rest);
                        for (std::size_t j = 0; j < 4; ++j)
                            if constexpr (terms == 2)
                                to[j][1] = operand::of(others[j]);
                            else
                                to[j][0] = to[j][0] - operand::of(others[j]);
                    }
                }
            const auto in_block_order = [&]<class T>(const T* from, T* to) {
                T all[std::size_t{size}];
                repeated(from, all);
                for (int part = 0; part < 4; ++part)
                    for (int lane = 0; lane < lanes; lane += 4)
                        std::copy_n(
                            all + simd::block_order(static_cast<std::size_t>(part), static_cast<std::size_t>(lane)), 4,
                            to + part * lanes + lane);
            };
            in_block_order(a.corrected_bias, whole_.start);
            if constexpr (terms == 2) {
                in_block_order(a.weight_zero_points, negative_);
                for (std::int32_t& lane : negative_) lane = lane == -128 ? -1 : 0;
                for (int lane = 0; lane < size; lane += lanes)
                    negated(words::load_aligned(whole_.start + lane), lane).store_aligned(whole_.start + lane);
            }
            typename Scheme::factor factors[std::size_t{size}];
            in_block_order(a.factors, factors);
            factors_.set_first(factors, size);
        }

        /// For windows whose rows before `first` and from `last` lie outside the image: the sums count on the padding
        /// these would read, and their weights become zero.
        void take_rows(int first, int last) noexcept {
            window_ = &whole_;
            if (first == 0 && last == rows_) return;
            window_ = &cut_;
            const auto outside = inputs::of(as_unsigned<Arch>(simd::batch<In, Arch>(padding_)));
            for (std::size_t j = 0; j < 4; ++j) {
                std::int32_t* const to = cut_.start + static_cast<int>(j) * lanes;
                words start = words::load_aligned(whole_.start + static_cast<int>(j) * lanes);
                for (int g = 0; g < groups(rows_); ++g) {
                    std::int8_t inside[std::size_t{rows_per_group}];
                    for (int i = 0; i < rows_per_group; ++i) {
                        const int ky = g * rows_per_group + i;
                        inside[i] = ky >= first && ky < last ? -1 : 0;
                    }
                    const auto mask = operand::of(simd::broadcast_group<Arch>(inside));
                    for (int kx = 0; kx < columns_; ++kx)
                        for (std::size_t term = 0; term < terms; ++term) {
                            const operand& all = whole_.weights[g][kx][j][term];
                            operand& cut = cut_.weights[g][kx][j][term];
                            cut = all & mask;
                            start = simd::dot_accumulate<Arch>(start, outside, all ^ cut);
                        }
                }
                start.store_aligned(to);
            }
        }

        template <int K, int = K>
        [[nodiscard]] row_constants<K> constants() const noexcept {
            return {read_, written_, requantize_};
        }

        [[nodiscard]] [[gnu::always_inline]] accumulator start() const noexcept {
            accumulator acc;
            simd::unroll<4>([&](auto j) __attribute__((always_inline)) {
                acc[j] = words::load_aligned(window_->start + j * lanes);
            });
            return acc;
        }

        template <int Kx, int K>
        [[gnu::always_inline]] void multiply_add(accumulator& acc, const column<K>& x,
                                                 const row_constants<K>&) const noexcept {
            simd::unroll<groups(K)>([&](auto g) __attribute__((always_inline)) {
                simd::unroll<4>([&](auto j) __attribute__((always_inline)) {
                    simd::unroll<int{terms}>([&](auto term) __attribute__((always_inline)) {
                        acc[j] = simd::dot_accumulate<Arch>(acc[j], x.groups[g][j], window_->weights[g][Kx][j][term]);
                    });
                });
            });
        }

        template <int K>
        [[gnu::always_inline]] void finish(accumulator acc, const row_constants<K>& constants, Out* to) const noexcept {
            if constexpr (terms == 2)
                simd::unroll<4>([&](auto j) __attribute__((always_inline)) { acc[j] = negated(acc[j], j * lanes); });
            if constexpr (RowPairs == 0) {
                constants.requantize.store_blocks(acc, factors_, to, constants.written);
            } else {
                const auto bytes = constants.requantize.of_blocks(acc, factors_);
                constants.written.store(to, simd::low_half<Arch>(bytes));
                constants.written.store(to + output_row_, simd::high_half<Arch>(bytes));
            }
        }

      private:
        /// The sums of lanes from `lane` on, with the other sign where they are taken negative.
        [[nodiscard]] [[gnu::always_inline]] words negated(words sums, int lane) const noexcept {
            const words all_ones = words::load_aligned(negative_ + lane);
            return (sums ^ all_ones) - all_ones;
        }

        /// Two bytes whose sum is the difference of weights and zero points, or its negative; where the dot product
        /// widens bytes anyway, the difference of two.
        static void split(std::int8_t (&weights)[std::size_t{size}],
                          const std::int32_t (&zero_points)[std::size_t{size}],
                          std::int8_t (&rest)[std::size_t{size}]) noexcept {
            for (std::size_t i = 0; i < std::size_t{size}; ++i) {
                if constexpr (terms == 1) {
                    rest[i] = static_cast<std::int8_t>(zero_points[i]);
                    continue;
                }
                const bool negative = zero_points[i] == -128;
                const int difference = negative ? zero_points[i] - weights[i] : weights[i] - zero_points[i];
                weights[i] = static_cast<std::int8_t>(std::clamp(difference, -128, 127));
                rest[i] = static_cast<std::int8_t>(difference - weights[i]);
            }
        }

        struct window_weights {
            alignas(64) operands weights[std::size_t(groups(Window))][std::size_t{Window}][4];
            alignas(64) std::int32_t start[std::size_t{size}];
        };

        read_lanes read_;
        written_lanes written_;
        std::ptrdiff_t output_row_; ///< values
        requantize_bytes<Arch, Out> requantize_;
        In padding_;
        int rows_;
        int columns_;
        const window_weights* window_; ///< one of these:
        window_weights whole_;
        window_weights cut_;                                                        ///< to the rows inside the image
        alignas(64) std::int32_t negative_[std::size_t{terms == 2 ? size : lanes}]; ///< lanes of all ones, or zero
        lane_factors<Scheme, size> factors_;
    };
};

} // namespace statiq::kernels::vectorized

#endif
