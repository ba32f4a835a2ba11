// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/arguments.hpp>
#include <statiq/kernels/multiply_steps.hpp>
#include <statiq/kernels/nests.hpp>
#include <statiq/kernels/pixel_walk.hpp>
#include <statiq/kernels/reading_ahead.hpp>
#include <statiq/kernels/region.hpp>
#include <statiq/kernels/weights.hpp>
#include <statiq/kernels/window_walk.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/opaque.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// The loop nest of every convolution on blocked weights. The number format is a policy `Format`:
///   input, weight, output      types in memory
///   arguments                  what the convolution reads and writes
///   accumulator                a register of sums; `lanes` output channels
///   inputs                     values of one 32-bit lane of a broadcast: input values per step
///   tile_pixels(vectors)       pixels for which a tile of that many accumulators each fits the registers
///   load(w), broadcast(x), multiply_add(acc, x, w)   one step
///   seen_inputs                what its steps see of their inputs and later blocks need not: seen_inputs.hpp
///   multiply(acc, x, run, lines, looks)   all steps of a run for a tile: multiply_steps.hpp
///   fits_pixels                worth code for a second size of tile
///   collects_in_registers      there are registers for broadcast_rest(x, row_step): what is left of three short rows
///   may_need_sums              weights may have zero points; then also:
///   add_inputs(acc, x, count)  `count` inputs added to some lanes, total(acc) the sum of all lanes
///   padding(arguments)         what taps outside the image read; padding_counts(arguments): whether it is not zero
///   sum, unsigned_padding      the type of a sum's lane; padding as the dot product reads it
///   outputs<Vectors>           a block of output channels: start(v), constants() with needs_sums and then
///                              correction(v, sum), finish<Pixels>(acc, constants, to, pixels)
namespace statiq::kernels::vectorized {

/// Some output channels (Vectors registers, from register `first` of a group) of all pixels: tiles of
/// Pixels x Vectors accumulators; per step, Vectors loads of weights and Pixels broadcasts of inputs.
/// @tparam Collects what is left of the window's rows is collected.
template <class Format, int Vectors, bool Collects>
class output_block {
    using input = typename Format::input;
    using weight = typename Format::weight;
    using accumulator = typename Format::accumulator;
    using looks = typename Format::seen_inputs::looks;
    using layout = blocked_layout<Format::inputs>;
    using window_walk = vectorized::window_walk<Format::inputs, weight, Collects>;
    static constexpr int inputs = Format::inputs;
    static constexpr int lanes = Format::lanes;

  public:
    /// @param panel the weights of the panel that the register `first` belongs to.
    output_block(const typename Format::arguments& arguments, const convolution_shape& shape, const layout& packed,
                 const weight* panel, int group, int first) noexcept
        : shape_(shape), layout_(packed), arguments_(arguments),
          input_(arguments.input + group * shape.in_channels_per_group()),
          step_size_(layout_.panel_of(first / vectors_per_block).blocks * outputs_per_block * inputs),
          weights_(panel + offset_in_panel(first)), channel_(group * layout_.out_channels + first * lanes),
          outputs_(arguments, shape, channel_, std::min(Vectors * lanes, layout_.out_channels - first * lanes)) {}

    void run(const region& r, reading_ahead& ahead, looks& seen) noexcept {
        take(r);
        begin_sums();
        pixel_walk walk(shape_, r, first_column_);
        // Windows on few channels have few steps: tiles are so small that the epilogue of one and the products of the
        // next are in flight together.
        constexpr int most = Collects ? 16 / Vectors : Format::tile_pixels(Vectors);
        constexpr int pixels = std::min(Format::tile_pixels(Vectors), most);
        const int count = r.pixels();
        if (count == 1) return tiles<1>(1, walk, ahead, seen);
        const int all = (count + pixels - 1) / pixels;
        if constexpr ((Vectors > 2 || Vectors == Format::max_vectors) && Format::fits_pixels) {
            // Tiles of two sizes cover any number of pixels but the smallest.
            const int smaller = std::min(all, all * pixels - count);
            tiles<pixels>(all - smaller, walk, ahead, seen);
            tiles<pixels - 1>(smaller, walk, ahead, seen);
        } else {
            tiles<pixels>(all, walk, ahead, seen);
        }
    }

  private:
    static constexpr int vectors_per_block = outputs_per_block / lanes;
    static constexpr bool collects_in_registers = Collects && Format::collects_in_registers;
    static constexpr std::ptrdiff_t vector_size = std::ptrdiff_t{lanes} * inputs; ///< weights of one register
    static_assert(vectors_per_block == 1 ? Format::max_vectors == blocks_per_panel
                                         : vectors_per_block % Format::max_vectors == 0);

    [[nodiscard]] std::ptrdiff_t offset_in_panel(int first) const noexcept {
        const int block = first / vectors_per_block;
        return ((block - layout_.panel_of(block).first) * outputs_per_block + first % vectors_per_block * lanes) *
               inputs;
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

    void take(const region& r) noexcept {
        const window& over = shape_.over;
        const int channels = layout_.in_channels;
        constexpr bool whole_rows = Collects; // a cut row is copied, with its padding
        first_row_ = walk_.first_row = r.rows.first;
        first_column_ = whole_rows ? 0 : r.columns.first;
        columns_ = (whole_rows ? over.kernel_width : r.columns.last) - first_column_;
        walk_.window_rows = over.kernel_height;
        walk_.rows = r.rows.last - r.rows.first;
        walk_.is_copied = whole_rows ? r.columns.last - r.columns.first < over.kernel_width : layout_.run < inputs;
        // Taps of a row whose channels follow one another, in the image and in the weights, are one run.
        const bool joined = !walk_.is_copied && !whole_rows && over.dilation_width == 1 && shape_.groups == 1 &&
                            layout_.run % inputs == 0;
        walk_.runs = whole_rows || joined ? 1 : columns_;
        walk_.steps = layout_.steps() * (joined ? columns_ : 1);
        run_ = layout_.run * (joined ? columns_ : 1);
        walk_.last_step = std::max(whole_rows ? walk_.steps * inputs : run_, inputs) - inputs;
        walk_.run_step = walk_.is_copied ? std::max(layout_.steps() * inputs, run_) : image_column_step();
        walk_.row_step = walk_.is_copied ? walk_.runs * walk_.run_step : image_row_step();
        walk_.weights = weights_of(first_row_, first_column_);
        walk_.weight_run_step = run_size();
        walk_.weight_row_step = over.kernel_width / layout_.row_taps * run_size();
        walk_.rest = layout_.rest();
        walk_.collected_steps = layout_.collected_steps();
        walk_.collected_weights = weights_ + layout_.runs * run_size();
        if constexpr (Collects)
            for (auto& values : collected_)
                std::fill_n(values, walk_.collected_steps * inputs, Format::padding(arguments_));
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
                std::copy_n(from + copied_from_, copied_values_, copy + copied_from_);
            }
        return copies_[pixel];
    }

    /// What is left of the rows of a window, one row after another.
    [[gnu::noinline]] void collect(const input* x, input* to) const noexcept {
        x += walk_.steps * inputs;
        to += layout_.first_collected() + walk_.first_row * walk_.rest;
        for (int row = 0; row < walk_.rows; ++row, x += walk_.row_step, to += walk_.rest)
            for (int i = 0; i < walk_.rest; ++i) to[i] = x[i];
    }

    template <int Pixels>
    [[gnu::always_inline]] void collect_tile(const window_walk& walk,
                                             const input* const (&x)[std::size_t{Pixels}]) noexcept {
        if (!collects_in_registers && walk.collects_three_bytes()) {
            // Stored as words, as they are read: what bytes were stored to a word would have to wait for.
            simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                const input* const from = x[p] + short_row * inputs;
                const auto byte = [&](int row) {
                    return std::uint32_t{static_cast<std::uint8_t>(from[row * walk.row_step])};
                };
                const std::uint32_t word = byte(0) << 8 | byte(1) << 16 | byte(2) << 24;
                std::memcpy(collected_[p], &word, sizeof(word));
            });
        } else {
            simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) { collect(x[p], collected_[p]); });
        }
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

    /// One step of a tile. @param inputs_of inputs_of(p): those of pixel p, broadcast.
    template <int Pixels, class InputsOf>
    [[gnu::always_inline]] static void multiply_step(accumulator (&acc)[std::size_t{Pixels}][std::size_t{Vectors}],
                                                     const weight* w, InputsOf inputs_of) noexcept {
        typename Format::weights ws[std::size_t{Vectors}];
        simd::unroll<Vectors>([&](auto v)
                                  __attribute__((always_inline)) { ws[v] = Format::load(w + v * vector_size); });
        simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
            const auto xs = inputs_of(p);
            simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                acc[p][v] = Format::multiply_add(acc[p][v], xs, ws[v]);
            });
        });
    }

    template <int Pixels>
    [[gnu::flatten]] void tiles(int count, pixel_walk& shared_pixels, reading_ahead& shared_ahead,
                                looks& shared_seen) noexcept {
        // Copies, which no store to the output can change.
        pixel_walk pixels = shared_pixels;
        reading_ahead ahead = shared_ahead;
        looks seen = shared_seen;
        const window_walk walk = walk_;
        const auto constants = outputs_.constants();
        typename Format::output* const output = arguments_.output + channel_;
        const input* const image = input_;
        for (; count > 0; --count) {
            const input* x[std::size_t{Pixels}];
            const auto at = pixels.template next<Pixels>(image, x);
            if (walk.is_copied) [[unlikely]]
                simd::unroll<Pixels>([&](auto p)
                                         __attribute__((always_inline)) { x[p] = copy_window(x[p] - image, p); });
            const bool in_registers = collects_in_registers && walk.collects_three_bytes();
            if constexpr (Collects)
                if (!in_registers) collect_tile<Pixels>(walk, x);
            accumulator acc[std::size_t{Pixels}][std::size_t{Vectors}];
            simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                const accumulator start = accumulator::load_aligned(start_ + v * lanes);
                simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) { acc[p][v] = start; });
            });
            if constexpr (Format::may_need_sums)
                if (constants.needs_sums) [[unlikely]] {
                    std::int32_t sums[std::size_t{Pixels}];
                    simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) { sums[p] = sum_inputs(x[p]); });
                    simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                        const accumulator start = accumulator::load_aligned(start_ + v * lanes);
                        simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                            acc[p][v] = start - outputs_.correction(v, sums[p]);
                        });
                    });
                }
            if (walk.has_short_rows()) {
                // Not shared with the loop below, where GCC 12 would then keep fewer addresses in registers.
                std::ptrdiff_t offset = 0;
                const weight* w = walk.weights;
                for (int row = walk.rows; row > 0; --row) {
                    simd::unroll<short_row>([&](auto i) __attribute__((always_inline)) {
                        multiply_step<Pixels>(
                            acc, w + i * step_size(), [&](auto p) __attribute__((always_inline)) {
                                return Format::broadcast(x[p] + (offset + i * inputs));
                            });
                    });
                    offset += walk.row_step;
                    w += walk.weight_row_step;
                }
            } else {
                auto lines = ahead.take(static_cast<std::size_t>(walk.rows * walk.runs * walk.steps));
                walk.for_each_run([&](std::ptrdiff_t first, const weight* w) __attribute__((always_inline)) {
                    Format::multiply(acc, x,
                                     run_of_steps<weight>{first, first + walk.last_step, walk.steps, w, step_size()},
                                     lines, seen);
                });
            }
            if constexpr (collects_in_registers)
                if (in_registers)
                    multiply_step<Pixels>(
                        acc, walk.collected_weights, [&](auto p) __attribute__((always_inline)) {
                            return Format::broadcast_rest(x[p] + short_row * inputs, walk.row_step);
                        });
            if constexpr (Collects)
                for (int step = in_registers ? walk.collected_steps : 0; step < walk.collected_steps; ++step)
                    multiply_step<Pixels>(
                        acc, walk.collected_weights + step * step_size(), [&](auto p) __attribute__((always_inline)) {
                            return Format::broadcast(collected_[p] + step * inputs);
                        });
            outputs_.template finish<Pixels>(acc, constants, output, at);
        }
        shared_pixels = pixels;
        shared_ahead = ahead;
        shared_seen = seen;
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
    /// Of each pixel; what lies outside the image is padding.
    input collected_[std::size_t{Format::tile_pixels(Vectors)}][std::size_t{Collects ? layout::most_collected : 1}];
    /// Runs are shorter than a step only where a step is more than one value.
    input copies_[std::size_t{Format::tile_pixels(Vectors)}][std::size_t{inputs > 1 ? layout::largest_copy : 1}];
    std::int32_t padding_sum_ = 0;
    alignas(64) typename Format::sum start_[std::size_t{Vectors * lanes}];
};

/// A convolution on blocked weights: groups, then panels, then blocks of output channels, then regions of pixels.
/// @tparam Tiles the sizes there is code for.
/// @param panel_weights panel_weights(offset, count): where the `count` weights of a panel lie that starts with value
/// `offset` of the packed ones.
template <class Format, blocked_tiles Tiles, class PanelWeights>
void convolve_panels(const typename Format::arguments& arguments, convolution_shape shape,
                     const blocked_layout<Format::inputs>& layout, PanelWeights panel_weights) noexcept {
    // A 1 x 1 convolution without stride sees one long row of pixels.
    if (shape.over == window{} && shape.in.pixels() == shape.out.pixels()) {
        shape.in = {1, static_cast<int>(shape.in.pixels()), shape.in.channels};
        shape.out = {1, static_cast<int>(shape.out.pixels()), shape.out.channels};
    }
    constexpr int vectors_per_block = outputs_per_block / Format::lanes;
    const int vectors = (arguments.channels.end(shape.out_channels_per_group()) + Format::lanes - 1) / Format::lanes;
    reading_ahead ahead(arguments.ahead, arguments.weights);
    for (int group = 0; group < shape.groups; ++group) {
        typename Format::seen_inputs seen;
        for (int first = arguments.channels.first / Format::lanes; first < vectors;) {
            const auto panel = layout.panel_of(first / vectors_per_block);
            const auto* weights =
                panel_weights(static_cast<std::size_t>(group * layout.blocks() + panel.first) * layout.block_size(),
                              static_cast<std::size_t>(panel.blocks) * layout.block_size());
            const int end = std::min(vectors, (panel.first + panel.blocks) * vectors_per_block);
            for (int count = 0; first < end; first += count) {
                count = std::min(end - first, Format::max_vectors);
                const auto run = [&]<int Vectors, bool Collects>() {
                    output_block<Format, Vectors, Collects> block(arguments, shape, layout, weights, group, first);
                    auto looks = seen.begin(Vectors);
                    for_each_region(shape, [&](const region& r) { block.run(r, ahead, looks); });
                    seen.end(looks);
                };
                simd::unroll<Format::max_vectors>([&](auto index) {
                    constexpr int share = index + 1;
                    if (share != count) return;
                    if constexpr (Format::inputs > 1 && (Tiles.collecting >> share) % 2 == 1)
                        if (layout.collects) return run.template operator()<share, true>();
                    if constexpr ((Tiles.plain >> share) % 2 == 1) {
                        if (!layout.collects) run.template operator()<share, false>();
                    }
                });
            }
        }
    }
}

/// The same on weights that lie in memory as they are packed.
template <class Format, blocked_tiles Tiles>
void convolve_blocked(const typename Format::arguments& arguments, const convolution_shape& shape) noexcept {
    convolve_panels<Format, Tiles>(arguments, shape, blocked_layout<Format::inputs>(shape),
                                   [&](std::size_t offset, std::size_t) { return arguments.weights + offset; });
}

} // namespace statiq::kernels::vectorized
