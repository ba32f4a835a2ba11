// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/depthwise/tile_walk.hpp>
#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/scratch.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

/// The loop nest of depthwise convolutions with one output per input channel, vectorised over channels. The number
/// format is a policy `Format`:
///   input, output, arguments   as for `convolve_blocked`
///   width                      channels of one block: what `taps_per_step` loads of inputs cover
///   taps_per_step              taps multiplied at once
///   pixels                     output pixels of a tile
///   accumulator                the sums of one block: `width` channels of one pixel
///   skips_padding              taps outside the image are not multiplied: 0 times an infinity would be NaN
///   panel_blocks               blocks for which the tap positions of a tile are found once
///   block                      one block of channels, of at most block_bytes: prepare(arguments, shape, channel,
///                              count), start(acc),
///                              multiply_add(acc, step, row) with row(t) the inputs of the step's tap t,
///                              finish(acc, to)
///   padding(arguments)         what taps outside the image read, unless they are skipped
namespace statiq::kernels::vectorized {

/// One depthwise convolution. The prepared weights of a panel of blocks lie in scratch memory: some tens of kilobytes
/// at the widest registers.
template <class Format>
class depthwise_channels {
    using input = typename Format::input;
    static constexpr int pixels = Format::pixels;
    static constexpr int taps_per_step = Format::taps_per_step;
    static constexpr int width = Format::width;
    static constexpr int panel_blocks = Format::panel_blocks;
    static constexpr unsigned all_pixels = (1U << pixels) - 1;
    static_assert(!Format::skips_padding || taps_per_step == 1);

  public:
    depthwise_channels(const typename Format::arguments& arguments, const convolution_shape& shape) noexcept
        : arguments_(arguments), shape_(shape), size_(static_cast<std::ptrdiff_t>(shape.in.size())),
          steps_((shape.over.taps() + taps_per_step - 1) / taps_per_step) {
        padding_.fill(Format::padding(arguments));
        const std::ptrdiff_t kept = std::min<std::ptrdiff_t>(width, size_);
        std::copy_n(arguments.input + size_ - kept, kept, end_of_image_.begin() + width - kept);
        const tile_walk<pixels> tile(shape);
        for (int tap = 0; tap < shape.over.taps(); ++tap)
            offsets_[tap] =
                tap / shape.over.kernel_width * tile.row_step() + tap % shape.over.kernel_width * tile.column_step();
    }

    /// Channels [begin, end), a panel of a few blocks at a time.
    void run(int begin, int end) noexcept {
        static_assert(sizeof(typename Format::block) <= Format::block_bytes,
                      "statiq: a scheme's lanes exceed its lane_bytes");
        scratch_memory scratch = arguments_.scratch;
        blocks_ = scratch.take<typename Format::block>(
            static_cast<std::size_t>((std::min)((end - begin + width - 1) / width, panel_blocks)));
        for (int channel = begin; channel < end; channel += panel_blocks * width)
            panel(channel, (std::min)(end - channel, panel_blocks * width));
    }

  private:
    void panel(int channel, int count) noexcept {
        const int blocks = (count + width - 1) / width;
        for (int b = 0; b < blocks; ++b)
            blocks_[b].prepare(arguments_, shape_, channel + b * width, (std::min)(width, count - b * width));
        for (tile_walk<pixels> tile(shape_); tile; tile.next()) {
            if (tile.is_interior() && tile.last() + channel + blocks * width <= size_) {
                const input* corner = arguments_.input + tile.corner() + channel;
                typename Format::output* output =
                    arguments_.output + tile.interior_output() * shape_.out.channels + channel;
                for (int b = 0; b < blocks; ++b, corner += width, output += width)
                    multiply(
                        blocks_[b],
                        [&](auto p, int tap)
                            __attribute__((always_inline)) { return corner + p * tile.pixel_step() + offsets_[tap]; },
                        [](int) { return all_pixels; },
                        [&](auto p) __attribute__((always_inline)) {
                            return output + std::ptrdiff_t{p} * shape_.out.channels;
                        });
            } else {
                find_taps(tile, channel);
                for (int b = 0; b < blocks; ++b) {
                    std::ptrdiff_t offset = b * width;
                    if (b > 0 && count - b * width < width) {
                        find_taps(tile, channel + b * width);
                        offset = 0;
                    }
                    multiply(
                        blocks_[b],
                        [&](auto p, int tap) __attribute__((always_inline)) { return taps_[p][tap] + offset; },
                        [&](int step) __attribute__((always_inline)) {
                            if constexpr (Format::skips_padding)
                                return inside_[static_cast<std::size_t>(step)];
                            else
                                return all_pixels;
                        },
                        [&](auto p) __attribute__((always_inline)) {
                            return arguments_.output + pixels_[p].output * shape_.out.channels + channel + b * width;
                        });
                }
            }
        }
    }

    /// @param tap_at tap_at(p, tap): where the inputs of that tap of pixel p start. @param counted counted(step): a bit
    /// for each pixel of which that step is multiplied. @param output_at output_at(p): its outputs.
    template <class TapAt, class Counted, class OutputAt>
    [[gnu::flatten]] void multiply(const typename Format::block& block, TapAt tap_at, Counted counted,
                                   OutputAt output_at) const noexcept {
        typename Format::accumulator acc[std::size_t{pixels}];
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) { block.start(acc[p]); });
        for (int step = 0; step < steps_; ++step) {
            const auto add = [&](auto p) __attribute__((always_inline)) {
                block.multiply_add(
                    acc[p],
                    step, [&](int t) __attribute__((always_inline)) { return tap_at(p, step * taps_per_step + t); });
            };
            const unsigned some = counted(step);
            if (some == all_pixels)
                simd::unroll<pixels>(add);
            else
                simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
                    if ((some >> p & 1U) != 0) add(p);
                });
        }
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) { block.finish(acc[p], output_at(p)); });
    }

    /// Finds the taps of every pixel, from channel `channel`, where some lie outside the image, or where one block from
    /// there would reach beyond its end.
    void find_taps(const tile_walk<pixels>& tile, int channel) noexcept {
        tile.pixels(pixels_);
        const window over = shape_.over;
        if constexpr (Format::skips_padding) inside_.fill(0);
        for (int p = 0; p < pixels; ++p) {
            const auto [row, column, output] = pixels_[p];
            const std::ptrdiff_t first = tile.offset(row, column) + channel;
            int tap = 0;
            for (int ky = 0; ky < over.kernel_height; ++ky)
                for (int kx = 0; kx < over.kernel_width; ++kx, ++tap) {
                    const bool inside =
                        tile.is_inside(row + ky * over.dilation_height, column + kx * over.dilation_width);
                    if constexpr (Format::skips_padding)
                        inside_[static_cast<std::size_t>(tap)] |= (inside ? 1U : 0U) << static_cast<unsigned>(p);
                    const std::ptrdiff_t offset = first + offsets_[tap];
                    const std::ptrdiff_t beyond = offset + width - size_;
                    taps_[p][tap] = !inside       ? padding_.data()
                                    : beyond <= 0 ? arguments_.input + offset
                                                  : end_of_image_.data() + beyond;
                }
            for (; tap < steps_ * taps_per_step; ++tap) taps_[p][tap] = taps_[p][0];
        }
    }

    const typename Format::arguments& arguments_;
    const convolution_shape& shape_;
    std::ptrdiff_t size_; ///< of the input
    int steps_;
    typename Format::block* blocks_ = nullptr; ///< of a panel, in scratch memory
    /// Of the taps from the first. Taps that complete the last step have weight zero: they may read any inputs.
    std::ptrdiff_t offsets_[std::size_t{most_depthwise_taps}] = {};
    typename tile_walk<pixels>::pixel pixels_[std::size_t{pixels}];
    const input* taps_[std::size_t{pixels}][std::size_t{most_depthwise_taps}];
    /// Of each tap, a bit for each pixel where it lies inside the image.
    std::array<unsigned, Format::skips_padding ? most_depthwise_taps : 0> inside_;
    std::array<input, static_cast<std::size_t>(panel_blocks* width)> padding_;
    std::array<input, static_cast<std::size_t>(2 * width)> end_of_image_{}; ///< its last `width` values, then zeros
};

} // namespace statiq::kernels::vectorized
