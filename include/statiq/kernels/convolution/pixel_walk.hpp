// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/region.hpp>
#include <statiq/simd/opaque.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <cstddef>

namespace statiq::kernels::vectorized {

/// Where the outputs of some pixels of a region go. Offsets are in values, of channel 0.
template <int Pixels>
struct pixel_tile {
    bool consecutive;                           ///< the pixels are neighbours in one row
    std::ptrdiff_t first_output;                ///< if so, of the first pixel,
    std::ptrdiff_t output_step;                 ///< and from one to the next;
    std::ptrdiff_t output[std::size_t{Pixels}]; ///< if not, of each pixel

    /// @param p of either kind
    [[nodiscard]] [[gnu::always_inline]] std::ptrdiff_t output_of(int p) const noexcept {
        return consecutive ? first_output + p * output_step : output[p];
    }
};

/// A walk over a region's pixels in row-major order, a few at a time, across the ends of rows. It stays at the last
/// one.
class pixel_walk {
  public:
    /// @param first_column the first tap of a row that is multiplied.
    pixel_walk(const convolution_shape& shape, const region& r, int first_column) noexcept
        : input_step_(static_cast<std::ptrdiff_t>(shape.over.stride_width) * shape.in.channels),
          output_step_(shape.out.channels), width_(r.columns.end - r.columns.begin), left_(width_),
          rows_left_(r.rows.end - r.rows.begin) {
        const window& over = shape.over;
        const std::ptrdiff_t row =
            r.rows.begin * over.stride_height - over.pad_top + r.rows.first * over.dilation_height;
        const std::ptrdiff_t column =
            r.columns.begin * over.stride_width - over.pad_left + first_column * over.dilation_width;
        input_ = (row * shape.in.width + column) * shape.in.channels;
        output_ = (static_cast<std::ptrdiff_t>(r.rows.begin) * shape.out.width + r.columns.begin) * output_step_;
        const std::ptrdiff_t input_row =
            static_cast<std::ptrdiff_t>(over.stride_height) * shape.in.width * shape.in.channels;
        input_wrap_ = input_row - (width_ - 1) * input_step_;
        output_wrap_ = (shape.out.width - width_ + 1) * output_step_;
    }

    /// @param[out] x for each pixel, a pointer to its first multiplied tap in `image`
    template <int Pixels, class T>
    [[gnu::always_inline]] pixel_tile<Pixels> next(const T* image, const T* (&x)[std::size_t{Pixels}]) noexcept {
        pixel_tile<Pixels> tile;
        tile.consecutive = left_ > Pixels;
        if (tile.consecutive) {
            tile.first_output = output_;
            tile.output_step = output_step_;
            x[0] = simd::opaque(image + input_);
            simd::unroll<Pixels - 1>([&](auto p) __attribute__((always_inline)) {
                x[p + 1] = simd::opaque(x[p] + input_step_);
            });
            input_ += Pixels * input_step_;
            output_ += Pixels * output_step_;
            left_ -= Pixels;
            return tile;
        }
        simd::unroll<Pixels>([&](auto p) __attribute__((always_inline)) {
            x[p] = simd::opaque(image + input_);
            tile.output[p] = output_;
            if (--left_ > 0) {
                input_ += input_step_;
                output_ += output_step_;
            } else {
                next_row();
            }
        });
        return tile;
    }

  private:
    void next_row() noexcept {
        left_ = 1;
        if (rows_left_ == 1) return;
        --rows_left_;
        left_ = width_;
        input_ += input_wrap_;
        output_ += output_wrap_;
    }

    std::ptrdiff_t input_step_;
    std::ptrdiff_t output_step_;
    int width_;
    int left_; ///< pixels of this row
    int rows_left_;
    std::ptrdiff_t input_;
    std::ptrdiff_t output_;
    std::ptrdiff_t input_wrap_;
    std::ptrdiff_t output_wrap_;
};

} // namespace statiq::kernels::vectorized
