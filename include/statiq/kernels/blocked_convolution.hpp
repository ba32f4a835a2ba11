// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/pixel_tile.hpp>
#include <statiq/kernels/weights.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

/// The loop nest of every convolution on blocked weights. The number format is a policy `Format`:
///   input, weight, output      types in memory
///   arguments                  what the convolution reads and writes
///   accumulator                a register of sums; `lanes` output channels
///   inputs                     values of one 32-bit lane of a broadcast: input channels per step
///   tile_pixels(vectors)       pixels for which a tile of that many accumulators each fits the registers
///   load(w), broadcast(x), multiply_add(acc, x, w)   one step
///   may_need_sums              weights may have zero points; then also:
///   add_inputs(acc, x, count)  `count` inputs added to some lanes, total(acc) the sum of all lanes
///   outputs<Vectors>           a block of output channels: start(v), needs_sums, finish(acc, sum, to)
///   padding(arguments)         what taps outside the image read
namespace statiq::kernels::vectorized {

/// Some output channels (Vectors registers, from register `first` of a group) of all pixels: tiles of
/// Pixels x Vectors accumulators; per tap and step, Vectors loads of weights and Pixels broadcasts of inputs.
template <class Format, int Vectors, int Pixels>
class blocked_tile {
    using input = typename Format::input;
    using weight = typename Format::weight;
    using accumulator = typename Format::accumulator;
    static constexpr int inputs = Format::inputs;
    static constexpr int lanes = Format::lanes;
    static constexpr std::ptrdiff_t step_size = outputs_per_block * inputs;
    /// Taps outside the image read this many steps of padding at a time.
    static constexpr int padding_steps = 64;

  public:
    blocked_tile(const typename Format::arguments& arguments, const convolution_shape& shape, int group,
                 int first) noexcept
        : shape_(shape), layout_(shape), input_(arguments.input + group * shape.in_channels_per_group()),
          weights_(arguments.weights + weight_offset(group, first)),
          channel_(group * layout_.out_channels + first * lanes),
          outputs_(arguments, channel_, std::min(Vectors * lanes, layout_.out_channels - first * lanes)),
          output_(arguments.output + channel_),
          readable_(static_cast<std::ptrdiff_t>(shape.in.size()) - group * shape.in_channels_per_group()) {
        padding_.fill(Format::padding(arguments));
    }

    void run() const noexcept {
        for (pixel_tile<Pixels> tile(shape_); tile; tile.next()) {
            // A step reads whole groups of inputs: the last pixel's must not reach beyond the image.
            const bool direct = tile.is_interior() && tile.last() + layout_.steps() * inputs <= readable_;
            std::int32_t sums[std::size_t{Pixels}] = {};
            if (outputs_.needs_sums) sum_inputs(tile, direct, sums);

            accumulator acc[std::size_t{Pixels}][std::size_t{Vectors}];
            simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                const accumulator start = outputs_.start(v);
                simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) { acc[p][v] = start; });
            });
            const auto multiply = [&](const input* const(&x)[std::size_t{Pixels}], std::ptrdiff_t offset,
                                      const weight* w, int steps, int) __attribute__((always_inline)) {
                for (int step = 0; step < steps; ++step, offset += inputs, w += step_size) {
                    typename Format::weights ws[std::size_t{Vectors}];
                    simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                        ws[v] = Format::load(w + v * vector_stride());
                    });
                    simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                        const auto xs = Format::broadcast(x[p] + offset);
                        simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                            acc[p][v] = Format::multiply_add(acc[p][v], xs, ws[v]);
                        });
                    });
                }
            };
            if (direct)
                walk_interior(tile, multiply);
            else
                walk_border(tile, multiply);

            simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
                outputs_.finish(acc[p], sums[p], output_ + tile.output(p) * channels());
            });
        }
    }

  private:
    static constexpr int vectors_per_block = outputs_per_block / lanes;
    static_assert(vectors_per_block == 1 || vectors_per_block % Format::max_vectors == 0);

    [[nodiscard]] std::size_t channels() const noexcept { return static_cast<std::size_t>(shape_.out.channels); }
    [[nodiscard]] std::ptrdiff_t weight_offset(int group, int first) const noexcept {
        const std::ptrdiff_t block = group * layout_.blocks() + first / vectors_per_block;
        return block * static_cast<std::ptrdiff_t>(layout_.block_size()) + first % vectors_per_block * lanes * inputs;
    }
    /// From the weights of one register to those of the next: within a block, or a block further.
    [[nodiscard]] std::ptrdiff_t vector_stride() const noexcept {
        if constexpr (vectors_per_block > 1)
            return lanes * inputs;
        else
            return static_cast<std::ptrdiff_t>(layout_.block_size());
    }

    /// For weight zero points: sums[p] = the sum of all inputs of pixel p, padding included.
    void sum_inputs(const pixel_tile<Pixels>& tile, bool direct,
                    std::int32_t (&sums)[std::size_t{Pixels}]) const noexcept {
        if constexpr (Format::may_need_sums) {
            accumulator parts[std::size_t{Pixels}];
            for (accumulator& part : parts) part = accumulator(0);
            const auto add = [&](const input* const(&x)[std::size_t{Pixels}], std::ptrdiff_t offset, const weight*, int,
                                 int values) {
                for (int p = 0; p < Pixels; ++p) parts[p] = Format::add_inputs(parts[p], x[p] + offset, values);
            };
            if (direct)
                walk_interior(tile, add);
            else
                walk_border(tile, add);
            for (int p = 0; p < Pixels; ++p) sums[p] = Format::total(parts[p]);
        }
    }

    /// visit(x, offset, w, steps, values) for every tap: `steps` steps from x[p] + offset, which hold `values` inputs.
    template <class Visit>
    [[gnu::always_inline]] void walk_interior(const pixel_tile<Pixels>& tile, Visit&& visit) const noexcept {
        const input* x[std::size_t{Pixels}];
        for (int p = 0; p < Pixels; ++p) x[p] = input_ + tile.corner() + p * tile.unit_step();
        const weight* w = weights_;
        for (int ky = 0; ky < shape_.over.kernel_height; ++ky)
            for (int kx = 0; kx < shape_.over.kernel_width; ++kx, w += layout_.steps() * step_size)
                visit(x, ky * tile.row_step() + kx * tile.column_step(), w, layout_.steps(), layout_.in_channels);
    }

    /// The same where taps may lie outside the image, or the end of the image is near.
    template <class Visit>
    [[gnu::always_inline]] void walk_border(const pixel_tile<Pixels>& tile, Visit&& visit) const noexcept {
        typename pixel_tile<Pixels>::unit units[std::size_t{Pixels}];
        tile.units(units);
        const int last_row =
            std::min(units[Pixels - 1].row + (shape_.over.kernel_height - 1) * shape_.over.dilation_height,
                     shape_.in.height - 1);
        const bool near_end = tile.offset(last_row, shape_.in.width - 1) + layout_.steps() * inputs > readable_;
        const int whole_steps = near_end ? layout_.in_channels / inputs : layout_.steps();
        input last_step[std::size_t{Pixels}][std::size_t{inputs}] = {};
        const weight* w = weights_;
        for (int ky = 0; ky < shape_.over.kernel_height; ++ky)
            for (int kx = 0; kx < shape_.over.kernel_width; ++kx)
                for (int done = 0, steps = 0; done < layout_.steps(); done += steps, w += steps * step_size) {
                    const input* x[std::size_t{Pixels}];
                    for (int p = 0; p < Pixels; ++p) {
                        const int row = units[p].row + ky * shape_.over.dilation_height;
                        const int column = units[p].column + kx * shape_.over.dilation_width;
                        x[p] = tile.is_inside(row, column) ? input_ + tile.offset(row, column) + done * inputs
                                                           : padding_.data();
                    }
                    const int left = layout_.in_channels - done * inputs;
                    steps = std::min(whole_steps - done, padding_steps);
                    if (steps == 0) {
                        steps = 1;
                        for (int p = 0; p < Pixels; ++p) {
                            std::copy_n(x[p], left, last_step[p]);
                            x[p] = last_step[p];
                        }
                    }
                    visit(x, 0, w, steps, std::min(left, steps * inputs));
                }
    }

    const convolution_shape& shape_;
    blocked_layout<inputs> layout_;
    const input* input_;
    const weight* weights_;
    int channel_;
    typename Format::template outputs<Vectors> outputs_;
    typename Format::output* output_;
    std::ptrdiff_t readable_; ///< values from input_ to the end of the image
    std::array<input, std::size_t{padding_steps * inputs}> padding_;
};

/// A convolution on blocked weights: groups, then blocks of output channels, then tiles of pixels.
template <class Format>
void convolve_blocked(const typename Format::arguments& arguments, convolution_shape shape) noexcept {
    // A 1 x 1 convolution without stride sees one long row of pixels.
    if (shape.over == window{} && shape.in.pixels() == shape.out.pixels()) {
        shape.in = {1, static_cast<int>(shape.in.pixels()), shape.in.channels};
        shape.out = {1, static_cast<int>(shape.out.pixels()), shape.out.channels};
    }
    const int vectors = (shape.out_channels_per_group() + Format::lanes - 1) / Format::lanes;
    const bool one_pixel = shape.out.pixels() == 1;
    for (int group = 0; group < shape.groups; ++group)
        for (int first = 0, count = 0; first < vectors; first += count) {
            // Equal shares where a block is one register, so that no tile is narrower than it must be.
            const int tiles = (vectors - first + Format::max_vectors - 1) / Format::max_vectors;
            count = outputs_per_block == Format::lanes ? (vectors - first + tiles - 1) / tiles
                                                       : std::min(vectors - first, Format::max_vectors);
            simd::unroll<Format::max_vectors>([&](auto index) {
                constexpr int share = index + 1;
                if (share != count) return;
                if (one_pixel)
                    blocked_tile<Format, share, 1>(arguments, shape, group, first).run();
                else
                    blocked_tile<Format, share, Format::tile_pixels(share)>(arguments, shape, group, first).run();
            });
        }
}

} // namespace statiq::kernels::vectorized
