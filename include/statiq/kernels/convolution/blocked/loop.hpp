// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/blocked/output_block.hpp>
#include <statiq/kernels/convolution/blocked/prefetch.hpp>
#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/convolution/region.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/kernels/scratch.hpp>
#include <statiq/kernels/weights/layouts.hpp>
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
///   tile_pixels(vectors)       pixels of a tile whose accumulators, `vectors` per pixel, fit the registers
///   load(w), broadcast(x), multiply_add(acc, x, w)   one step
///   input_masks                caches which inputs are large: input_masks.hpp
///   multiply(acc, x, run, lines, masks)   all steps of a run for a tile: steps.hpp
///   has_smaller_tiles          a second tile, one pixel smaller, is worth its code
///   gathers_in_registers       broadcast_rest(x, row_step) gathers the rest of three short rows in a register
///   may_have_zero_points       weights may have zero points; then also:
///   add_inputs(acc, x, count)  `count` inputs added to some lanes, total(acc) the sum of all lanes
///   padding(arguments)         what taps outside the image read; padding_counts(arguments): whether it is not zero
///   sum, unsigned_padding      the type of a sum's lane; padding as the dot product reads it
///   outputs<Vectors>           a block of output channels: start(v), constants() with has_zero_points, then
///                              correction(v, sum), finish<Pixels>(acc, constants, to, pixels)
namespace statiq::kernels::vectorized {

/// Panels that are read where they are packed.
template <class Weight>
struct packed_panels {
    const Weight* weights;

    /// The `count` weights of a panel that starts with value `offset` of the packed ones.
    [[nodiscard]] const Weight* at(std::size_t offset, std::size_t) const noexcept { return weights + offset; }
    /// Their place in memory, known before `at` is called.
    [[nodiscard]] memory_ahead memory(std::size_t offset, std::size_t count) const noexcept {
        return {weights + offset, count * sizeof(Weight)};
    }
};

/// More weights than this do not stay in the second cache from one layer to the next.
inline constexpr std::size_t most_waiting_bytes = 512 * 1024;

/// A convolution on blocked weights: groups, then panels, then blocks of output channels, then regions of pixels.
/// @tparam Tiles the tile sizes that have code. @tparam Panels like `packed_panels`.
/// @param scratch holds copies of windows; the rest of it holds input masks
template <class Format, blocked_tiles Tiles, class Panels>
void convolve_panels(const typename Format::arguments& arguments, convolution_shape shape,
                     const blocked_layout<Format::inputs>& layout, const Panels& panels,
                     scratch_memory scratch) noexcept {
    const std::size_t copy_size = copied_window(shape, layout);
    auto* const copies = scratch.take<typename Format::input>(most_copied_pixels * copy_size);
    const std::size_t words = (std::min)(scratch.bytes / sizeof(std::uint64_t), most_mask_words);
    auto* const mask_words = scratch.take<std::uint64_t>(words);
    // A 1 x 1 convolution without stride does not use the image's shape: all pixels are one row.
    if (shape.over == window{} && shape.in.pixels() == shape.out.pixels()) {
        shape.in = {1, static_cast<int>(shape.in.pixels()), shape.in.channels};
        shape.out = {1, static_cast<int>(shape.out.pixels()), shape.out.channels};
    }
    constexpr int vectors_per_block = outputs_per_block / Format::lanes;
    const int vectors = (arguments.channels.end(shape.out_channels_per_group()) + Format::lanes - 1) / Format::lanes;
    const auto size_of = [&](int blocks) { return static_cast<std::size_t>(blocks) * layout.block_size(); };
    const bool waits = panels.memory(0, size_of(layout.blocks())).bytes <= most_waiting_bytes;
    prefetcher next_layer(arguments.ahead, arguments.weights);
    for (int group = 0; group < shape.groups; ++group) {
        typename Format::input_masks masks(mask_words, words);
        for (int first = arguments.channels.first / Format::lanes; first < vectors;) {
            const auto panel = layout.panel_of(first / vectors_per_block);
            const int next = panel.first + panel.blocks;
            const auto* weights = panels.at(size_of(group * layout.blocks() + panel.first), size_of(panel.blocks));
            const bool brings_panel = !waits && next * vectors_per_block < vectors;
            prefetcher next_panel(brings_panel ? panels.memory(size_of(group * layout.blocks() + next),
                                                               size_of(layout.panel_of(next).blocks))
                                               : memory_ahead{},
                                  weights);
            prefetcher& ahead = brings_panel ? next_panel : next_layer;
            const int end = (std::min)(vectors, next * vectors_per_block);
            for (int count = 0; first < end; first += count) {
                count = (std::min)(end - first, Format::max_vectors);
                const auto run = [&]<int Vectors, bool Gathers>() {
                    static_assert(Format::tile_pixels(Vectors) <= most_copied_pixels || Format::inputs == 1);
                    output_block<Format, Vectors, Gathers> block(arguments, shape, layout, weights, group, first,
                                                                 copies, static_cast<std::ptrdiff_t>(copy_size));
                    auto sequence = masks.begin(Vectors);
                    for_each_region(shape, [&](const region& r) { block.run(r, ahead, sequence); });
                    masks.end(sequence);
                };
                simd::unroll<Format::max_vectors>([&](auto index) {
                    constexpr int share = index + 1;
                    if (share != count) return;
                    if constexpr (Format::inputs > 1 && (Tiles.gathering >> share) % 2 == 1)
                        if (layout.gathers) return run.template operator()<share, true>();
                    if constexpr ((Tiles.plain >> share) % 2 == 1) {
                        if (!layout.gathers) run.template operator()<share, false>();
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
                                   packed_panels<typename Format::weight>{arguments.weights}, arguments.scratch);
}

} // namespace statiq::kernels::vectorized
