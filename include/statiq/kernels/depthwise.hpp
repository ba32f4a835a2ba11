// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/run_tile.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

/// The loop nest of depthwise convolutions with one output per input channel, vectorised over channels. The number
/// format is a policy `Format`:
///   input, output, arguments   as for `convolve_blocked`
///   width                      channels of one block: what `taps_per_step` loads of inputs cover
///   taps_per_step              taps multiplied at once
///   pixels                     units of a tile: output pixels, or runs of them where there are few channels
///   accumulator                the sums of one block: `width` channels of one pixel
///   panel_blocks               blocks for which the tap positions of a tile are found once
///   block                      one block of channels: prepare(arguments, shape, channel, count) (where count exceeds
///                              the channels, they repeat), start(acc), multiply_add(acc, step, row) with row(t) the
///                              inputs of the step's tap t, finish(acc, to)
///   padding(arguments)         what taps outside the image read
namespace statiq::kernels::vectorized {

/// Taps of the largest window the nest takes: 7 x 7 fits.
inline constexpr int most_depthwise_taps = 64;

/// One depthwise convolution. An object holds the prepared weights of a panel of blocks, some tens of kilobytes at the
/// widest registers; it lives on the stack.
template <class Format>
class depthwise_channels {
    using input = typename Format::input;
    static constexpr int pixels = Format::pixels;
    static constexpr int taps_per_step = Format::taps_per_step;
    static constexpr int width = Format::width;
    static constexpr int panel_blocks = Format::panel_blocks;

    /// Windows for which runs of pixels share a block.
    static constexpr int most_run_taps = 16;

  public:
    depthwise_channels(const typename Format::arguments& arguments, const convolution_shape& shape) noexcept
        : arguments_(arguments), shape_(shape), size_(static_cast<std::ptrdiff_t>(shape.in.size())),
          steps_((shape.over.taps() + taps_per_step - 1) / taps_per_step) {
        padding_.fill(Format::padding(arguments));
        const std::ptrdiff_t kept = std::min<std::ptrdiff_t>(width, size_);
        std::copy_n(arguments.input + size_ - kept, kept, end_of_image_.begin() + width - kept);
        const run_tile<pixels> tile(shape);
        for (int tap = 0; tap < shape.over.taps(); ++tap)
            offsets_[tap] =
                tap / shape.over.kernel_width * tile.row_step() + tap % shape.over.kernel_width * tile.column_step();
    }

    /// Channels [begin, end), a panel of a few blocks at a time. Where all channels together fill less than half a
    /// block, neighbouring pixels fill it up.
    void run(int begin, int end) noexcept {
        const int channels = shape_.in.channels;
        if (end - begin == channels && shape_.over.stride_width == 1 && shape_.over.taps() <= most_run_taps)
            run_ = std::clamp(width / channels, 1, shape_.out.width);
        if (run_ > 1)
            for (auto& unit : copies_)
                for (auto& tap : unit) std::fill(std::begin(tap), std::end(tap), input{});
        for (int channel = begin; channel < end; channel += panel_blocks * width)
            panel(channel, std::min(end - channel, panel_blocks * width));
    }

  private:
    void panel(int channel, int channels) noexcept {
        const int count = channels * run_;
        const int blocks = (count + width - 1) / width;
        for (int b = 0; b < blocks; ++b)
            blocks_[b].prepare(arguments_, shape_, channel + b * width, std::min(width, count - b * width));
        const std::ptrdiff_t unit_outputs = run_ * shape_.out.channels;
        for (run_tile<pixels> tile(shape_, run_); tile; tile.next()) {
            if (tile.is_interior() && tile.last() + channel + blocks * width <= size_) {
                const input* corner = arguments_.input + tile.corner() + channel;
                typename Format::output* output =
                    arguments_.output + tile.interior_output() * shape_.out.channels + channel;
                for (int b = 0; b < blocks; ++b, corner += width, output += width)
                    multiply(
                        blocks_[b],
                        [&](auto p, int tap)
                            __attribute__((always_inline)) { return corner + p * tile.unit_step() + offsets_[tap]; },
                        [&](auto p) __attribute__((always_inline)) { return output + p * unit_outputs; });
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
                        [&](auto p) __attribute__((always_inline)) {
                            return arguments_.output + units_[p].output * shape_.out.channels + channel + b * width;
                        });
                }
            }
        }
    }

    /// @param tap_at tap_at(p, tap): where the inputs of that tap of unit p start. @param output_at its outputs.
    template <class TapAt, class OutputAt>
    void multiply(const typename Format::block& block, TapAt tap_at, OutputAt output_at) const noexcept {
        typename Format::accumulator acc[std::size_t{pixels}];
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) { block.start(acc[p]); });
        for (int step = 0; step < steps_; ++step)
            simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) {
                block.multiply_add(
                    acc[p],
                    step, [&](int t) __attribute__((always_inline)) { return tap_at(p, step * taps_per_step + t); });
            });
        simd::unroll<pixels>([&](auto p) __attribute__((always_inline)) { block.finish(acc[p], output_at(p)); });
    }

    /// Finds the taps of every unit, from channel `channel`, where some lie outside the image, or where one block from
    /// there would reach beyond its end.
    void find_taps(const run_tile<pixels>& tile, int channel) noexcept {
        tile.units(units_);
        const window over = shape_.over;
        for (int p = 0; p < pixels; ++p) {
            const auto [row, column, output] = units_[p];
            const std::ptrdiff_t first = tile.offset(row, column) + channel;
            int tap = 0;
            for (int ky = 0; ky < over.kernel_height; ++ky) {
                const bool row_inside = tile.is_inside(row + ky * over.dilation_height, 0);
                for (int kx = 0; kx < over.kernel_width; ++kx, ++tap) {
                    const int left = column + kx * over.dilation_width;
                    const std::ptrdiff_t offset = first + offsets_[tap];
                    const bool inside = row_inside && left >= 0 && left + run_ <= shape_.in.width;
                    taps_[p][tap] = inside && offset + width <= size_ ? arguments_.input + offset
                                    : !row_inside                     ? padding_.data()
                                                  : border_tap(offset, left, copies_[p][run_ > 1 ? tap : 0]);
                }
            }
            for (; tap < steps_ * taps_per_step; ++tap) taps_[p][tap] = taps_[p][0];
        }
    }

    /// A tap of a row inside the image, where it lies to the left or right of the image or near its end.
    [[nodiscard]] const input* border_tap(std::ptrdiff_t offset, int left, input* copy) const noexcept {
        if (run_ == 1) {
            const std::ptrdiff_t beyond = offset + width - size_;
            return left < 0 || left >= shape_.in.width ? padding_.data() : end_of_image_.data() + beyond;
        }
        const int channels = shape_.in.channels;
        for (int pixel = 0; pixel < run_; ++pixel) {
            const bool inside = left + pixel >= 0 && left + pixel < shape_.in.width;
            std::copy_n(inside ? arguments_.input + offset + pixel * channels : padding_.data(), channels,
                        copy + pixel * channels);
        }
        return copy;
    }

    const typename Format::arguments& arguments_;
    const convolution_shape& shape_;
    std::ptrdiff_t size_; ///< of the input
    int steps_;
    int run_ = 1; ///< pixels that share a block
    typename Format::block blocks_[std::size_t{panel_blocks}];
    /// Of the taps from the first. Taps that complete the last step have weight zero: they may read any inputs.
    std::ptrdiff_t offsets_[std::size_t{most_depthwise_taps}] = {};
    typename run_tile<pixels>::unit units_[std::size_t{pixels}];
    const input* taps_[std::size_t{pixels}][std::size_t{most_depthwise_taps}];
    input copies_[std::size_t{pixels}][std::size_t{most_run_taps}][std::size_t{width}];
    std::array<input, static_cast<std::size_t>(panel_blocks* width)> padding_;
    std::array<input, static_cast<std::size_t>(2 * width)> end_of_image_{}; ///< its last `width` values, then zeros
};

} // namespace statiq::kernels::vectorized
