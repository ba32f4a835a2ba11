// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/blocked/prefetch.hpp>
#include <statiq/kernels/convolution/blocked/steps.hpp>
#include <statiq/kernels/convolution/blocked/window_copies.hpp>
#include <statiq/kernels/convolution/blocked/window_walk.hpp>
#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/convolution/pixel_walk.hpp>
#include <statiq/kernels/convolution/region.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/simd/opaque.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace statiq::kernels::vectorized {

/// Some output channels (Vectors registers, from register `first` of a group) of all pixels: tiles of
/// Pixels x Vectors accumulators; per step, Vectors loads of weights and Pixels broadcasts of inputs.
/// @tparam Gathers the rest of each window row, which fills no step, is gathered into steps of its own.
template <class Format, int Vectors, bool Gathers>
class output_block {
    using input = typename Format::input;
    using weight = typename Format::weight;
    using accumulator = typename Format::accumulator;
    using mask_sequence = typename Format::input_masks::sequence;
    using layout = blocked_layout<Format::inputs>;
    using window_walk = vectorized::window_walk<Format::inputs, weight, Gathers>;
    static constexpr int inputs = Format::inputs;
    static constexpr int lanes = Format::lanes;

  public:
    /// @param panel the weights of the panel that the register `first` belongs to. @param copies, copy_size as
    /// `window_copies` takes them.
    output_block(const typename Format::arguments& arguments, const convolution_shape& shape, const layout& packed,
                 const weight* panel, int group, int first, input* copies, std::ptrdiff_t copy_size) noexcept
        : shape_(shape), layout_(packed), arguments_(arguments),
          input_(arguments.input + group * shape.in_channels_per_group()),
          step_size_(layout_.panel_of(first / vectors_per_block).blocks * outputs_per_block * inputs),
          weights_(panel + offset_in_panel(first)), channel_(group * layout_.out_channels + first * lanes),
          outputs_(arguments, shape, channel_, (std::min)(Vectors * lanes, layout_.out_channels - first * lanes)),
          copies_(copies, copy_size) {}

    void run(const region& r, prefetcher& ahead, mask_sequence& masks) noexcept {
        take(r);
        begin_sums();
        pixel_walk walk(shape_, r, first_column_);
        // Windows on few channels have few steps. Small tiles let the processor overlap one tile's epilogue with the
        // next tile's products.
        constexpr int most = Gathers ? 16 / Vectors : Format::tile_pixels(Vectors);
        constexpr int pixels = (std::min)(Format::tile_pixels(Vectors), most);
        const int count = r.pixels();
        if (count == 1) return tiles<1>(1, walk, ahead, masks);
        const int all = (count + pixels - 1) / pixels;
        if constexpr ((Vectors > 2 || Vectors == Format::max_vectors) && Format::has_smaller_tiles) {
            // Tiles of two sizes cover every count of pixels except the smallest.
            const int smaller = (std::min)(all, all * pixels - count);
            tiles<pixels>(all - smaller, walk, ahead, masks);
            tiles<pixels - 1>(smaller, walk, ahead, masks);
        } else {
            tiles<pixels>(all, walk, ahead, masks);
        }
    }

  private:
    static constexpr int vectors_per_block = outputs_per_block / lanes;
    static constexpr bool gathers_in_registers = Gathers && Format::gathers_in_registers;
    static constexpr std::ptrdiff_t vector_size = std::ptrdiff_t{lanes} * inputs; ///< weights of one register
    static_assert(vectors_per_block == 1 ? Format::max_vectors == blocks_per_panel
                                         : vectors_per_block % Format::max_vectors == 0);

    [[nodiscard]] std::ptrdiff_t offset_in_panel(int first) const noexcept {
        const int block = first / vectors_per_block;
        return ((block - layout_.panel_of(block).first) * outputs_per_block + first % vectors_per_block * lanes) *
               inputs;
    }
    /// Distance between the weights of two steps. If a block is one register, a tile is a whole panel.
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

    /// Sets the start of this region's sums. The corrected bias assumes that every tap is read, so taps outside the
    /// image add their padding here.
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
        constexpr bool whole_rows = Gathers; // a cut row is copied, with its padding
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
        walk_.last_step = (std::max)(whole_rows ? walk_.steps * inputs : run_, inputs) - inputs;
        walk_.run_step = walk_.is_copied ? (std::max)(layout_.steps() * inputs, run_) : image_column_step(shape_);
        walk_.row_step = walk_.is_copied ? walk_.runs * walk_.run_step : image_row_step(shape_);
        walk_.weights = weights_of(first_row_, first_column_);
        walk_.weight_run_step = run_size();
        walk_.weight_row_step = over.kernel_width / layout_.row_taps * run_size();
        walk_.rest = layout_.rest();
        walk_.gathered_steps = layout_.gathered_steps();
        walk_.gathered_weights = weights_ + layout_.runs * run_size();
        copies_.take(shape_, r, layout_, walk_, input_, Format::padding(arguments_));
    }

    /// For weight zero points: the sum of all inputs of a pixel, padding included.
    [[gnu::noinline]] std::int32_t sum_inputs(const input* x) const noexcept {
        if constexpr (Format::may_have_zero_points) {
            accumulator sums(0);
            walk_.for_each_run(
                [&](std::ptrdiff_t offset, const weight*) { sums = Format::add_inputs(sums, x + offset, run_); });
            return padding_sum_ + Format::total(sums);
        } else {
            return 0;
        }
    }

    /// One step of a tile. @param inputs_of inputs_of(p): the inputs of pixel p, broadcast
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

    // Not inlined: GCC 12 would inline it into its one caller, run out of registers for addresses, and make float
    // layers 1.2 times as slow.
    template <int Pixels>
    [[gnu::flatten, gnu::noinline]] void tiles(int count, pixel_walk& shared_pixels, prefetcher& shared_ahead,
                                               mask_sequence& shared_masks) noexcept {
        // Local copies: the compiler then knows that stores to the output do not change them.
        pixel_walk pixels = shared_pixels;
        prefetcher ahead = shared_ahead;
        mask_sequence masks = shared_masks;
        const window_walk walk = walk_;
        const auto constants = outputs_.constants();
        typename Format::output* const output = arguments_.output + channel_;
        const input* const image = input_;
        for (; count > 0; --count) {
            const input* x[std::size_t{Pixels}];
            const auto at = pixels.template next<Pixels>(image, x);
            if (walk.is_copied) [[unlikely]]
                simd::unroll<Pixels>([&](auto p)
                                         __attribute__((always_inline)) { x[p] = copies_.copy(x[p] - image, p); });
            const bool in_registers = gathers_in_registers && walk.gathers_three_bytes();
            if constexpr (Gathers) {
                if (!gathers_in_registers && walk.gathers_three_bytes())
                    simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                        copies_.gather_three_bytes(x[p], p, walk.row_step);
                    });
                else if (!in_registers)
                    simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) { copies_.gather(x[p], p); });
            }
            accumulator acc[std::size_t{Pixels}][std::size_t{Vectors}];
            simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                const accumulator start = accumulator::load_aligned(start_ + v * lanes);
                simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) { acc[p][v] = start; });
            });
            if constexpr (Format::may_have_zero_points)
                if (constants.has_zero_points) [[unlikely]] {
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
                // A loop of its own: merged with the loop below, GCC 12 keeps fewer addresses in registers.
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
                                     lines, masks);
                });
            }
            if constexpr (gathers_in_registers)
                if (in_registers)
                    multiply_step<Pixels>(
                        acc, walk.gathered_weights, [&](auto p) __attribute__((always_inline)) {
                            return Format::broadcast_rest(x[p] + short_row * inputs, walk.row_step);
                        });
            if constexpr (Gathers)
                for (int step = in_registers ? walk.gathered_steps : 0; step < walk.gathered_steps; ++step)
                    multiply_step<Pixels>(
                        acc, walk.gathered_weights + step * step_size(), [&](auto p) __attribute__((always_inline)) {
                            return Format::broadcast(copies_.gathered(p) + step * inputs);
                        });
            outputs_.template finish<Pixels>(acc, constants, output, at);
        }
        shared_pixels = pixels;
        shared_ahead = ahead;
        shared_masks = masks;
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
    int run_ = 0; ///< values
    window_copies<input, weight, inputs, Format::tile_pixels(Vectors), Gathers> copies_;
    std::int32_t padding_sum_ = 0;
    alignas(64) typename Format::sum start_[std::size_t{Vectors * lanes}];
};

} // namespace statiq::kernels::vectorized
