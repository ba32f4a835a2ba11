// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/pixel_tile.hpp>
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
///   panel_blocks               blocks for which the tap positions of a tile are found once
///   block                      one block of channels: prepare(arguments, shape, channel, count), start(),
///                              multiply_add(acc, step, row), row(t) the inputs of the step's tap t,
///                              finish(acc, to)
///   padding(arguments)         what taps outside the image read
namespace statiq::kernels::vectorized {

/// Taps of the largest window the nest takes: 7 x 7 fits.
inline constexpr int most_depthwise_taps = 64;

template <class Format>
class depthwise_channels {
    using input = typename Format::input;
    static constexpr int pixels = Format::pixels;
    static constexpr int taps_per_step = Format::taps_per_step;
    static constexpr int width = Format::width;
    static constexpr int panel_blocks = Format::panel_blocks;

  public:
    depthwise_channels(const typename Format::arguments& arguments, const convolution_shape& shape) noexcept
        : arguments_(arguments), shape_(shape), size_(static_cast<std::ptrdiff_t>(shape.in.size())),
          steps_((shape.over.taps() + taps_per_step - 1) / taps_per_step) {
        padding_.fill(Format::padding(arguments));
        const std::ptrdiff_t kept = std::min<std::ptrdiff_t>(width, size_);
        std::copy_n(arguments.input + size_ - kept, kept, end_of_image_.begin() + width - kept);
        const pixel_tile<pixels> tile(shape);
        for (int tap = 0; tap < shape.over.taps(); ++tap)
            offsets_[tap] =
                tap / shape.over.kernel_width * tile.row_step() + tap % shape.over.kernel_width * tile.column_step();
    }

    /// Channels [begin, end), a panel of a few blocks at a time.
    void run(int begin, int end) noexcept {
        for (int channel = begin; channel < end; channel += panel_blocks * width)
            panel(channel, std::min(end - channel, panel_blocks * width));
    }

  private:
    void panel(int channel, int count) noexcept {
        const int blocks = (count + width - 1) / width;
        for (int b = 0; b < blocks; ++b)
            blocks_[b].prepare(arguments_, shape_, channel + b * width, std::min(width, count - b * width));
        for (pixel_tile<pixels> tile(shape_); tile; tile.next()) {
            const bool interior = tile.is_interior() && tile.last() + channel + blocks * width <= size_;
            if (!interior) find_taps(tile, channel);
            for (int b = 0; b < blocks; ++b) {
                typename Format::output* output = arguments_.output + channel + b * width;
                if (interior) {
                    const input* corner = arguments_.input + tile.corner() + channel + b * width;
                    multiply(
                        tile, blocks_[b], output, [&](auto p, int tap) __attribute__((always_inline)) {
                            return corner + p * tile.pixel_step() + offsets_[tap];
                        });
                } else {
                    std::ptrdiff_t offset = b * width;
                    if (b > 0 && count - b * width < width) {
                        find_taps(tile, channel + b * width);
                        offset = 0;
                    }
                    multiply(
                        tile, blocks_[b],
                        output, [&](auto p, int tap) __attribute__((always_inline)) { return taps_[p][tap] + offset; });
                }
            }
        }
    }

    /// @param tap_at tap_at(p, tap): where the inputs of that tap of pixel p start.
    template <class TapAt>
    void multiply(const pixel_tile<pixels>& tile, const typename Format::block& block, typename Format::output* output,
                  TapAt tap_at) const noexcept {
        typename Format::accumulator acc[std::size_t{pixels}];
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) { acc[p] = block.start(); });
        for (int step = 0; step < steps_; ++step)
            simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
                block.multiply_add(
                    acc[p],
                    step, [&](int t) __attribute__((always_inline)) { return tap_at(p, step * taps_per_step + t); });
            });
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
            block.finish(acc[p], output + tile.output(p) * static_cast<std::size_t>(shape_.out.channels));
        });
    }

    /// Finds the taps of every pixel, from channel `channel`, where some lie outside the image, or where one block from
    /// there would reach beyond its end.
    void find_taps(const pixel_tile<pixels>& tile, int channel) noexcept {
        int rows[std::size_t{pixels}];
        int columns[std::size_t{pixels}];
        tile.corners(rows, columns);
        int tap = 0;
        for (int ky = 0; ky < shape_.over.kernel_height; ++ky)
            for (int kx = 0; kx < shape_.over.kernel_width; ++kx, ++tap)
                for (int p = 0; p < pixels; ++p) {
                    const int row = rows[p] + ky * shape_.over.dilation_height;
                    const int column = columns[p] + kx * shape_.over.dilation_width;
                    const std::ptrdiff_t left = size_ - tile.offset(row, column) - channel;
                    if (!tile.is_inside(row, column))
                        taps_[p][tap] = padding_.data();
                    else if (left < width)
                        taps_[p][tap] = end_of_image_.data() + (width - left);
                    else
                        taps_[p][tap] = arguments_.input + (size_ - left);
                }
        for (; tap < steps_ * taps_per_step; ++tap)
            for (auto& pixel : taps_) pixel[tap] = pixel[0];
    }

    const typename Format::arguments& arguments_;
    const convolution_shape& shape_;
    std::ptrdiff_t size_; ///< of the input
    int steps_;
    typename Format::block blocks_[std::size_t{panel_blocks}];
    /// Of the taps from the first. Taps that complete the last step have weight zero: they may read any inputs.
    std::ptrdiff_t offsets_[std::size_t{most_depthwise_taps}] = {};
    const input* taps_[std::size_t{pixels}][std::size_t{most_depthwise_taps}];
    std::array<input, static_cast<std::size_t>(panel_blocks* width)> padding_;
    std::array<input, static_cast<std::size_t>(2 * width)> end_of_image_{}; ///< its last `width` values, then zeros
};

} // namespace statiq::kernels::vectorized
