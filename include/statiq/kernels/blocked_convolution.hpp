// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/arguments.hpp>
#include <statiq/kernels/multiply_steps.hpp>
#include <statiq/kernels/pixel_walk.hpp>
#include <statiq/kernels/reading_ahead.hpp>
#include <statiq/kernels/region.hpp>
#include <statiq/kernels/weights.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/opaque.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

/// The loop nest of every convolution on blocked weights. The number format is a policy `Format`:
///   input, weight, output      types in memory
///   arguments                  what the convolution reads and writes
///   accumulator                a register of sums; `lanes` output channels
///   inputs                     values of one 32-bit lane of a broadcast: input values per step
///   tile_pixels(vectors)       pixels for which a tile of that many accumulators each fits the registers
///   load(w), broadcast(x), multiply_add(acc, x, w)   one step
///   multiply(acc, x, run, lines)   all steps of a run for a tile: multiply_steps.hpp
///   fits_pixels                worth code for a second size of tile
///   may_need_sums              weights may have zero points; then also:
///   add_inputs(acc, x, count)  `count` inputs added to some lanes, total(acc) the sum of all lanes
///   padding(arguments)         what taps outside the image read; padding_counts(arguments): whether it is not zero
///   sum, unsigned_padding      the type of a sum's lane; padding as the dot product reads it
///   outputs<Vectors>           a block of output channels: start(v), constants() with needs_sums,
///                              finish<Pixels>(acc, sums, constants, to, pixels)
namespace statiq::kernels::vectorized {

/// Some output channels (Vectors registers, from register `first` of a group) of all pixels: tiles of
/// Pixels x Vectors accumulators; per step, Vectors loads of weights and Pixels broadcasts of inputs.
template <class Format, int Vectors>
class output_block {
    using input = typename Format::input;
    using weight = typename Format::weight;
    using accumulator = typename Format::accumulator;
    using layout = blocked_layout<Format::inputs>;
    static constexpr int inputs = Format::inputs;
    static constexpr int lanes = Format::lanes;

  public:
    output_block(const typename Format::arguments& arguments, const convolution_shape& shape, int group,
                 int first) noexcept
        : shape_(shape), layout_(shape), arguments_(arguments),
          input_(arguments.input + group * shape.in_channels_per_group()),
          step_size_(layout_.panel_of(first / vectors_per_block).blocks * outputs_per_block * inputs),
          weights_(arguments.weights + weight_offset(group, first)),
          channel_(group * layout_.out_channels + first * lanes),
          outputs_(arguments, shape, channel_, std::min(Vectors * lanes, layout_.out_channels - first * lanes)) {}

    void run(const region& r, reading_ahead& ahead) noexcept {
        take(r);
        begin_sums();
        pixel_walk walk(shape_, r, first_column_);
        constexpr int pixels = Format::tile_pixels(Vectors);
        const int count = r.pixels();
        if (count == 1) return tiles<1>(1, walk, ahead);
        const int all = (count + pixels - 1) / pixels;
        if constexpr ((Vectors > 2 || Vectors == Format::max_vectors) && Format::fits_pixels) {
            // Tiles of two sizes cover any number of pixels but the smallest.
            const int smaller = std::min(all, all * pixels - count);
            tiles<pixels>(all - smaller, walk, ahead);
            tiles<pixels - 1>(smaller, walk, ahead);
        } else {
            tiles<pixels>(all, walk, ahead);
        }
    }

  private:
    static constexpr int vectors_per_block = outputs_per_block / lanes;
    static constexpr std::ptrdiff_t vector_size = std::ptrdiff_t{lanes} * inputs; ///< weights of one register
    static_assert(vectors_per_block == 1 ? Format::max_vectors == blocks_per_panel
                                         : vectors_per_block % Format::max_vectors == 0);

    [[nodiscard]] std::ptrdiff_t weight_offset(int group, int first) const noexcept {
        const int block = first / vectors_per_block;
        const int panel = layout_.panel_of(block).first;
        return (group * layout_.blocks() + panel) * static_cast<std::ptrdiff_t>(layout_.block_size()) +
               ((block - panel) * outputs_per_block + first % vectors_per_block * lanes) * inputs;
    }
    /// From the weights of one step to those of the next. Where a block is one register, a tile is a whole panel.
    [[nodiscard]] std::ptrdiff_t step_size() const noexcept {
        if constexpr (vectors_per_block == 1)
            return Vectors * outputs_per_block * inputs;
        else
            return step_size_;
    }
    [[nodiscard]] std::ptrdiff_t run_size() const noexcept { return layout_.steps() * step_size(); }
    [[nodiscard]] const weight* weights_of(int row, int column) const noexcept {
        const int tap = row * shape_.over.kernel_width + column;
        return weights_ + tap / layout_.row_taps * run_size();
    }
    [[nodiscard]] bool is_multiplied(int row, int column) const noexcept {
        return row >= first_row_ && row < first_row_ + walk_.rows && column >= first_column_ &&
               column < first_column_ + columns_;
    }

    /// What the sums of this region's pixels start from: the corrected bias counts on the padding that taps outside
    /// the image would read.
    void begin_sums() noexcept {
        simd::unroll<Vectors>([&](auto v) { outputs_.start(v).store_aligned(start_ + v * lanes); });
        padding_sum_ = 0;
        const int outside = layout_.runs * layout_.row_taps - walk_.rows * columns_;
        if (outside == 0 || !Format::padding_counts(arguments_)) return;
        input padding[std::size_t{inputs}];
        std::fill_n(padding, inputs, Format::padding(arguments_));
        const auto xs = Format::broadcast(padding);
        for (int row = 0; row < shape_.over.kernel_height; ++row)
            for (int column = 0; column < shape_.over.kernel_width; column += layout_.row_taps) {
                if (is_multiplied(row, column)) continue;
                const weight* w = weights_of(row, column);
                for (int step = 0; step < layout_.steps(); ++step, w += step_size())
                    simd::unroll<Vectors>([&](auto v) {
                        const auto sums = accumulator::load_aligned(start_ + v * lanes);
                        Format::multiply_add(sums, xs, Format::load(w + v * vector_size))
                            .store_aligned(start_ + v * lanes);
                    });
            }
        padding_sum_ = Format::unsigned_padding(arguments_) * (outside * layout_.in_channels);
    }

    /// How tiles read a region's windows: rows of runs of steps. A tile keeps it in registers.
    struct window_walk {
        int rows = 0;
        int runs = 0;  ///< of a row
        int steps = 0; ///< of a run
        bool is_copied = false;
        std::ptrdiff_t row_step = 0; ///< in the input, or in the copy
        std::ptrdiff_t run_step = 0;
        std::ptrdiff_t last_step = 0; ///< of a run: where it starts
        const weight* weights = nullptr;
        std::ptrdiff_t weight_row_step = 0;
        std::ptrdiff_t weight_run_step = 0;

        /// Rows of three steps, as 3 x 3 x 3 has: so short that a loop over them costs as much as the products.
        [[nodiscard]] bool has_short_rows() const noexcept { return inputs > 1 && runs == 1 && steps == 3; }

        /// visit(offset, w) for every run: its inputs start at that offset from a pixel's first, its weights at w.
        template <class Visit>
        [[gnu::always_inline]] void for_each_run(Visit&& visit) const noexcept {
            for (int row = 0; row < rows; ++row)
                for (int run = 0; run < runs; ++run)
                    visit(row * row_step + run * run_step, weights + (row * weight_row_step + run * weight_run_step));
        }
    };

    void take(const region& r) noexcept {
        const window& over = shape_.over;
        const int channels = layout_.in_channels;
        const bool whole_rows = layout_.row_taps > 1; // a cut row is copied, with its padding
        first_row_ = r.rows.first;
        first_column_ = whole_rows ? 0 : r.columns.first;
        columns_ = (whole_rows ? over.kernel_width : r.columns.last) - first_column_;
        walk_.rows = r.rows.last - r.rows.first;
        walk_.is_copied = layout_.run < inputs || (whole_rows && r.columns.last - r.columns.first < over.kernel_width);
        // Taps of a row whose channels follow one another, in the image and in the weights, are one run.
        const bool joined = !walk_.is_copied && !whole_rows && over.dilation_width == 1 && shape_.groups == 1 &&
                            layout_.run % inputs == 0;
        walk_.runs = whole_rows || joined ? 1 : columns_;
        walk_.steps = layout_.steps() * (joined ? columns_ : 1);
        run_ = layout_.run * (joined ? columns_ : 1);
        walk_.last_step = std::max(run_, inputs) - inputs;
        walk_.run_step = walk_.is_copied ? layout_.steps() * inputs : image_column_step();
        walk_.row_step = walk_.is_copied ? walk_.runs * walk_.run_step : image_row_step();
        walk_.weights = weights_of(first_row_, first_column_);
        walk_.weight_run_step = run_size();
        walk_.weight_row_step = over.kernel_width / layout_.row_taps * run_size();
        if (!walk_.is_copied) return;
        copied_from_ = whole_rows ? r.columns.first * channels : 0;
        copied_values_ = whole_rows ? (r.columns.last - r.columns.first) * channels : channels;
        for (auto& copy : copies_) std::fill_n(copy, walk_.rows * walk_.row_step, Format::padding(arguments_));
    }
    [[nodiscard]] std::ptrdiff_t image_column_step() const noexcept {
        return static_cast<std::ptrdiff_t>(shape_.over.dilation_width) * shape_.in.channels;
    }
    [[nodiscard]] std::ptrdiff_t image_row_step() const noexcept {
        return static_cast<std::ptrdiff_t>(shape_.over.dilation_height) * shape_.in.width * shape_.in.channels;
    }

    /// A window with runs that are shorter than a step, or with rows that the image cuts, in memory of its own: what is
    /// not copied is padding.
    [[gnu::noinline]] const input* copy_window(std::ptrdiff_t first, int pixel) noexcept {
        input* copy = copies_[pixel];
        for (int row = 0; row < walk_.rows; ++row)
            for (int run = 0; run < walk_.runs; ++run, copy += walk_.run_step) {
                const input* from = input_ + (first + row * image_row_step() + run * image_column_step());
                for (int i = 0; i < copied_values_; ++i) copy[copied_from_ + i] = from[copied_from_ + i];
            }
        return copies_[pixel];
    }

    /// For weight zero points: the sum of all inputs of a pixel, padding included.
    [[gnu::noinline]] std::int32_t sum_inputs(const input* x) const noexcept {
        if constexpr (Format::may_need_sums) {
            accumulator sums(0);
            walk_.for_each_run(
                [&](std::ptrdiff_t offset, const weight*) { sums = Format::add_inputs(sums, x + offset, run_); });
            return padding_sum_ + Format::total(sums);
        } else {
            return 0;
        }
    }

    template <int Pixels>
    void tiles(int count, pixel_walk& shared_pixels, reading_ahead& shared_ahead) noexcept {
        // Copies, which no store to the output can change.
        pixel_walk pixels = shared_pixels;
        reading_ahead ahead = shared_ahead;
        const window_walk walk = walk_;
        const auto constants = outputs_.constants();
        typename Format::output* const output = arguments_.output + channel_;
        const input* const image = input_;
        for (; count > 0; --count) {
            const auto at = pixels.template next<Pixels>();
            const input* x[std::size_t{Pixels}];
            simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                x[p] = simd::opaque(image + at.input[p]);
                if (walk.is_copied) [[unlikely]]
                    x[p] = copy_window(at.input[p], p);
            });
            std::int32_t sums[std::size_t{Pixels}] = {};
            if (constants.needs_sums)
                simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) { sums[p] = sum_inputs(x[p]); });

            accumulator acc[std::size_t{Pixels}][std::size_t{Vectors}];
            simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                const accumulator start = accumulator::load_aligned(start_ + v * lanes);
                simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) { acc[p][v] = start; });
            });
            if (walk.has_short_rows()) {
                // Not shared with the loop below, where GCC 12 would then keep fewer addresses in registers.
                const auto step = [&](std::ptrdiff_t offset, const weight* w) __attribute__((always_inline)) {
                    typename Format::weights ws[std::size_t{Vectors}];
                    simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                        ws[v] = Format::load(w + v * vector_size);
                    });
                    simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                        const auto xs = Format::broadcast(x[p] + offset);
                        simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                            acc[p][v] = Format::multiply_add(acc[p][v], xs, ws[v]);
                        });
                    });
                };
                std::ptrdiff_t offset = 0;
                const weight* w = walk.weights;
                for (int row = walk.rows; row > 0; --row) {
                    const std::ptrdiff_t last = simd::opaque(offset + walk.last_step);
                    step(offset, w);
                    step(offset + inputs, w + step_size());
                    step(last, w + 2 * step_size());
                    offset += walk.row_step;
                    w += walk.weight_row_step;
                }
            } else {
                auto lines = ahead.take(static_cast<std::size_t>(walk.rows * walk.runs * walk.steps));
                walk.for_each_run([&](std::ptrdiff_t first, const weight* w) __attribute__((always_inline)) {
                    Format::multiply(
                        acc, x, run_of_steps<weight>{first, first + walk.last_step, walk.steps, w, step_size()}, lines);
                });
            }
            outputs_.template finish<Pixels>(acc, sums, constants, output, at);
        }
        shared_pixels = pixels;
        shared_ahead = ahead;
    }

    const convolution_shape& shape_;
    layout layout_;
    const typename Format::arguments& arguments_;
    const input* input_;
    std::ptrdiff_t step_size_;
    const weight* weights_;
    int channel_;
    typename Format::template outputs<Vectors> outputs_;
    // Of the region:
    window_walk walk_;
    int first_row_ = 0;
    int first_column_ = 0;
    int columns_ = 0;
    int run_ = 0;           ///< values
    int copied_from_ = 0;   ///< of a run's values
    int copied_values_ = 0; ///< of a run
    /// Runs are shorter than a step only where a step is more than one value.
    input copies_[std::size_t{Format::tile_pixels(Vectors)}][std::size_t{inputs > 1 ? layout::largest_copy : 1}];
    std::int32_t padding_sum_ = 0;
    alignas(64) typename Format::sum start_[std::size_t{Vectors * lanes}];
};

/// A convolution on blocked weights: groups, then blocks of output channels, then regions of pixels.
template <class Format>
void convolve_blocked(const typename Format::arguments& arguments, convolution_shape shape) noexcept {
    // A 1 x 1 convolution without stride sees one long row of pixels.
    if (shape.over == window{} && shape.in.pixels() == shape.out.pixels()) {
        shape.in = {1, static_cast<int>(shape.in.pixels()), shape.in.channels};
        shape.out = {1, static_cast<int>(shape.out.pixels()), shape.out.channels};
    }
    const int vectors = (arguments.channels.end(shape.out_channels_per_group()) + Format::lanes - 1) / Format::lanes;
    const blocked_layout<Format::inputs> layout(shape);
    reading_ahead ahead(arguments.ahead, arguments.weights);
    for (int group = 0; group < shape.groups; ++group)
        for (int first = arguments.channels.first / Format::lanes, count = 0; first < vectors; first += count) {
            if constexpr (Format::lanes == outputs_per_block)
                count = layout.panel_of(first).blocks;
            else
                count = std::min(vectors - first, Format::max_vectors);
            simd::unroll<Format::max_vectors>([&](auto index) {
                constexpr int share = index + 1;
                if (share != count) return;
                output_block<Format, share> block(arguments, shape, group, first);
                for_each_region(shape, [&](const region& r) { block.run(r, ahead); });
            });
        }
}

} // namespace statiq::kernels::vectorized
