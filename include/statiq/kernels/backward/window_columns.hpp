// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Some columns of the matrix that has a row for every output pixel of a batch and in it all input values that the
/// pixel is computed of, in the order of a weight's (tap, input channel), zeros for what lies outside the image.
/// @tparam Width most columns: the distance of rows where they are copied to.
template <class Arch, int Width>
class window_columns {
    using floats = simd::batch<float, Arch>;
    static constexpr int lanes = static_cast<int>(floats::size);

    /// Values that lie side by side in the image: of one row of the window, or of one tap where taps are apart.
    struct piece {
        int row;    ///< of the window's first pixel
        int column; ///< in the image
        int first;  ///< value, counted from that column's first channel of the group
        int count;
        int to;
        int whole; ///< vectors
        simd::first_lanes<float, Arch> rest;
    };

  public:
    window_columns(const convolution_shape& shape, int group, int first, int count) noexcept
        : shape_(shape), group_channel_(group * shape.in_channels_per_group()) {
        const int channels = shape.in_channels_per_group();
        const bool row_at_once = shape.groups == 1 && shape.over.dilation_width == 1;
        run_taps_ = row_at_once ? shape.over.kernel_width : 1;
        const int run = run_taps_ * channels;
        for (int k = first, done = 0; done < count;) {
            const int tap = k / run * run_taps_;
            const int from = k % run;
            const int values = (std::min)(run - from, count - done);
            const int rest = values % lanes;
            pieces_[piece_count_++] = {tap / shape.over.kernel_width * shape.over.dilation_height,
                                       tap % shape.over.kernel_width * shape.over.dilation_width,
                                       from,
                                       values,
                                       done,
                                       values / lanes,
                                       simd::first_lanes<float, Arch>(static_cast<std::size_t>(rest == 0 ? 1 : rest))};
            k += values;
            done += values;
        }
        padding_ = count;
    }

    /// Rows [pixel, pixel + pixels), `Width` values apart; columns beyond the last are zero.
    void copy(const float* input, std::size_t pixel, int pixels, float* to) const noexcept {
        const std::size_t pixels_per_sample = shape_.out.pixels();
        std::size_t sample = pixel / pixels_per_sample;
        auto within = static_cast<int>(pixel % pixels_per_sample);
        int y = within / shape_.out.width;
        int x = within % shape_.out.width;
        const float* image = input + sample * shape_.in.size();
        for (int p = 0; p < pixels; ++p, to += Width) {
            copy_row(image, y, x, to);
            for (int k = padding_; k < Width; ++k) to[k] = 0;
            if (++x < shape_.out.width) continue;
            x = 0;
            if (++y < shape_.out.height) continue;
            y = 0;
            image += shape_.in.size();
        }
    }

  private:
    void copy_row(const float* image, int y, int x, float* to) const noexcept {
        const int row = y * shape_.over.stride_height - shape_.over.pad_top;
        const int column = x * shape_.over.stride_width - shape_.over.pad_left;
        for (int i = 0; i < piece_count_; ++i) {
            const piece& one = pieces_[i];
            const int at_row = row + one.row;
            const int at_column = column + one.column;
            float* values = to + one.to;
            if (at_row < 0 || at_row >= shape_.in.height) {
                std::fill_n(values, one.count, 0.0F);
                continue;
            }
            const float* from = image + (std::ptrdiff_t{at_row} * shape_.in.width + at_column) * shape_.in.channels +
                                group_channel_ + one.first;
            if (at_column >= 0 && at_column + run_taps_ <= shape_.in.width)
                copy_whole(one, from, values);
            else
                copy_inside(one, at_column, from, values);
        }
    }

    static void copy_whole(const piece& one, const float* from, float* to) noexcept {
        for (int v = 0; v < one.whole; ++v) floats::load_unaligned(from + v * lanes).store_unaligned(to + v * lanes);
        const int done = one.whole * lanes;
        if (done < one.count) one.rest.store(to + done, one.rest.load(from + done));
    }

    /// At the image's sides.
    void copy_inside(const piece& one, int column, const float* from, float* to) const noexcept {
        const int channels = shape_.in_channels_per_group();
        for (int k = 0; k < one.count; ++k) {
            const int at = column + (one.first + k) / channels;
            to[k] = at >= 0 && at < shape_.in.width ? from[k] : 0.0F;
        }
    }

    const convolution_shape& shape_;
    int group_channel_;
    int run_taps_ = 1;
    int padding_ = 0;
    int piece_count_ = 0;
    piece pieces_[std::size_t{Width}];
};

} // namespace statiq::kernels::vectorized

#endif
