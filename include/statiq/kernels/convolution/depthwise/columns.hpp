// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/region.hpp>
#include <statiq/kernels/scratch.hpp>
#include <statiq/simd/opaque.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

/// The loop nest of the common depthwise convolutions: K x K windows without dilation, stride 1 or 2, one output per
/// input channel. It walks along a row of the image; every column of the window's rows is loaded (and, for bytes,
/// interleaved) once and multiplied into all output pixels it belongs to, whose sums wait in registers. The number
/// format is a policy `Format`:
///   input, output, arguments   as for `convolve_blocked`
///   width                      channels of one block
///   output_rows                rows of outputs a block computes together
///   image_rows(K)              of the image, under their windows
///   panel_blocks               blocks that follow one another along a row while it is in the first cache
///   accumulator                the sums of one block at one pixel of these rows
///   skips_padding              taps outside the image are not multiplied: 0 times an infinity would be NaN
///   column<Rows>               the inputs of one block in one column: column(row, constants) with row(ky) where a row
///                              starts, column(padding)
///   block<K>                   one block's constants, of at most block_bytes(K): prepare(arguments, shape, channel,
///                              count), take_rows(first, last) of the window that lie inside the image, start(),
///                              constants<K, Rows>() of a row,
///                              multiply_add<Kx>(acc, column, constants), finish(acc, constants, to)
///   padding(arguments)         what taps outside the image read, unless they are skipped
namespace statiq::kernels::vectorized {

template <class Format, int K, int Stride>
class depthwise_columns {
    using input = typename Format::input;
    using accumulator = typename Format::accumulator;
    using block_type = typename Format::template block<K>;
    static constexpr int width = Format::width;
    static constexpr int panel_blocks = Format::panel_blocks;
    static constexpr int image_rows = Format::image_rows(K);
    /// Output pixels that one column of the image belongs to.
    static constexpr int pending = (K + Stride - 1) / Stride;
    /// A row's start has no older outputs, and its end no newer ones. Small windows have steps of their own for both.
    /// Large windows compute surplus outputs and do not store them.
    static constexpr bool has_exact_ends = K <= 3;

  public:
    depthwise_columns(const typename Format::arguments& arguments, const convolution_shape& shape) noexcept
        : arguments_(arguments), shape_(shape), padding_(Format::padding(arguments)) {}

    /// Computes channels [begin, end) of rows [first_row, last_row). The number of rows is a multiple of `output_rows`.
    void run(int begin, int end, int first_row, int last_row) noexcept {
        static_assert(sizeof(block_type) <= Format::block_bytes(K), "statiq: a scheme's lanes exceed its lane_bytes");
        const window& over = shape_.over;
        scratch_memory scratch = arguments_.scratch;
        auto* const prepared = scratch.take<block_type>(
            static_cast<std::size_t>((std::min)((end - begin + width - 1) / width, panel_blocks)));
        for (int channel = begin; channel < end; channel += panel_blocks * width) {
            const int blocks = (std::min)((end - channel + width - 1) / width, panel_blocks);
            for (int b = 0; b < blocks; ++b) {
                const int first = channel + b * width;
                prepared[b].prepare(arguments_, shape_, first, (std::min)(width, end - first));
            }
            for (int y = first_row; y < last_row;) {
                const region_span rows = span_from(y, K, Stride, 1, over.pad_top, shape_.in.height, shape_.out.height);
                for (int b = 0; b < blocks; ++b) prepared[b].take_rows(rows.first, rows.last);
                for (const int until = (std::min)(rows.end, last_row); y < until; y += Format::output_rows)
                    for (int b = 0; b < blocks; ++b) row(y, rows.last - rows.first, channel + b * width, prepared[b]);
            }
        }
    }

  private:
    using sums = std::array<accumulator, std::size_t{pending}>;

    /// Where the rows of the image under the window start, at the next column. Formats that skip padding have only the
    /// rows inside the image. The others have any row for one outside, because its weights are zero.
    struct window_rows {
        const input* at[std::size_t{image_rows}];
        std::ptrdiff_t offset;
        std::ptrdiff_t step;
        int column;
    };

    [[nodiscard]] window_rows rows_of(int y, int channel) const noexcept {
        window_rows rows;
        rows.offset = 0;
        rows.step = shape_.in.channels;
        rows.column = -shape_.over.pad_left;
        const int top = y * Stride - shape_.over.pad_top;
        const int first = Format::skips_padding ? (std::max)(top, 0) : top;
        for (int ky = 0; ky < image_rows; ++ky) {
            const int row = std::clamp(first + ky, 0, shape_.in.height - 1);
            rows.at[ky] = simd::opaque(
                arguments_.input + static_cast<std::ptrdiff_t>(row) * shape_.in.width * shape_.in.channels + channel);
        }
        return rows;
    }

    [[nodiscard]] typename Format::output* output_of(int y, int channel) const noexcept {
        return arguments_.output + static_cast<std::ptrdiff_t>(y) * shape_.out.width * shape_.out.channels + channel;
    }

    /// @param inside rows of the window that lie inside the image.
    void row(int y, int inside, int channel, const block_type& block) const noexcept {
        if constexpr (Format::skips_padding) {
            if (inside == 0) return empty_row(output_of(y, channel), block);
            simd::unroll<K>([&](auto fewer) {
                if (inside == K - fewer) row_of<K - fewer>(y, channel, block);
            });
        } else {
            row_of<K>(y, channel, block);
        }
    }

    /// The whole window lies outside.
    void empty_row(typename Format::output* to, const block_type& block) const noexcept {
        const auto constants = block.template constants<K, 0>();
        for (int x = 0; x < shape_.out.width; ++x, to += shape_.out.channels)
            block.finish(block.start(), constants, to);
    }

    /// @tparam Rows of the window that are multiplied.
    template <int Rows>
    [[gnu::flatten, gnu::noinline]] void row_of(int y, int channel, const block_type& block) const noexcept {
        window_rows rows = rows_of(y, channel);
        const std::ptrdiff_t channels = shape_.out.channels;
        const int outputs = shape_.out.width;
        typename Format::output* to = output_of(y, channel);
        const auto constants = block.template constants<K, Rows>();
        sums acc{};
        // A step adds a newest output and finishes the oldest. The loop is unrolled by the number of pending sums, so
        // each sum is back in its own register and nothing is copied.
        constexpr int together = pending <= 3 ? pending : 1;
        const int steps = outputs + pending - 1;
        const int inside = (std::min)(outputs, (shape_.in.width + shape_.over.pad_left) / Stride);
        int x = 0;
        if constexpr (has_exact_ends) {
            simd::unroll<pending - 1>([&](auto age) __attribute__((always_inline)) {
                step<Rows, 0, age + 1, true>(rows, block, constants, acc, to);
            });
            x = pending - 1;
        }
        while (x < (has_exact_ends ? outputs : steps))
            if (x >= pending - 1 && rows.column >= 0 && x + together <= inside) {
                simd::unroll<together>([&](auto) __attribute__((always_inline)) {
                    step<Rows, 0, pending, false>(rows, block, constants, acc, to);
                    to += channels;
                });
                x += together;
            } else {
                const bool finishes = x >= pending - 1;
                step<Rows, 0, pending, true>(rows, block, constants, acc, finishes ? to : nullptr);
                to += finishes ? channels : 0;
                ++x;
            }
        if constexpr (has_exact_ends)
            simd::unroll<pending - 1>([&](auto i) __attribute__((always_inline)) {
                step<Rows, i + 1, pending, true>(rows, block, constants, acc, to);
                to += channels;
            });
    }

    /// Multiplies the next `Stride` columns into the outputs of ages First to Last - 1. Age 0 is the newest output,
    /// whose first columns these are. The oldest output is then finished and stored, if it lies in the row.
    /// @tparam Checked columns may lie outside the image.
    template <int Rows, int First, int Last, bool Checked>
    [[gnu::always_inline]] void step(window_rows& rows, const block_type& block,
                                     const typename Format::template row_constants<K>& constants, sums& acc,
                                     typename Format::output* to) const noexcept {
        using column = typename Format::template column<Rows>;
        simd::unroll<Stride>([&](auto phase) __attribute__((always_inline)) {
            if constexpr (phase + First * Stride < K) {
                const auto add = [&](const column& inputs) __attribute__((always_inline)) {
                    simd::unroll<Last - First>([&](auto i) __attribute__((always_inline)) {
                        constexpr int age = First + i, kx = phase + age * Stride;
                        if constexpr (kx == 0) acc[age] = block.start();
                        if constexpr (kx < K) block.template multiply_add<kx>(acc[age], inputs, constants);
                    });
                };
                const auto row = [&](auto ky) __attribute__((always_inline)) { return rows.at[ky] + rows.offset; };
                if constexpr (Checked) {
                    const bool inside = rows.column >= 0 && rows.column < shape_.in.width;
                    if constexpr (!Format::skips_padding)
                        add(inside ? column(row, constants) : column(padding_));
                    else if (inside)
                        add(column(row, constants));
                    else if constexpr (phase == 0 && First == 0)
                        acc[0] = block.start();
                    if (inside) rows.offset += rows.step;
                } else {
                    add(column(row, constants));
                    rows.offset += rows.step;
                }
                ++rows.column;
            }
        });
        if constexpr (Last == pending)
            if (!Checked || to != nullptr) block.finish(acc[pending - 1], constants, to);
        simd::unroll<pending - 1>([&](auto i)
                                      __attribute__((always_inline)) { acc[pending - 1 - i] = acc[pending - 2 - i]; });
    }

    const typename Format::arguments& arguments_;
    const convolution_shape& shape_;
    input padding_;
};

} // namespace statiq::kernels::vectorized
