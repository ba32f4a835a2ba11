// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/window.hpp>

#include <cstddef>

namespace statiq::kernels::vectorized {

/// A walk over the output of a convolution, Pixels pixels at a time in row-major order, across the ends of rows. The
/// last tile repeats the last pixel.
template <int Pixels>
class tile_walk {
  public:
    explicit tile_walk(const convolution_shape& shape) noexcept
        : shape_(shape), count_(shape.out.height * shape.out.width) {}

    explicit operator bool() const noexcept { return first_ < count_; }
    void next() noexcept {
        first_ += Pixels;
        for (x_ += Pixels; x_ >= shape_.out.width; x_ -= shape_.out.width) ++y_;
    }

    /// All pixels lie in one row and all their taps inside the image: then pixel p, tap (ky, kx) starts at input offset
    /// corner() + p * pixel_step() + ky * row_step() + kx * column_step().
    [[nodiscard]] bool is_interior() const noexcept {
        const window& over = shape_.over;
        return x_ + Pixels <= shape_.out.width && top() >= 0 && left() >= 0 &&
               top() + (over.kernel_height - 1) * over.dilation_height < shape_.in.height &&
               left() + (Pixels - 1) * over.stride_width + (over.kernel_width - 1) * over.dilation_width <
                   shape_.in.width;
    }
    [[nodiscard]] std::ptrdiff_t corner() const noexcept { return offset(top(), left()); }
    [[nodiscard]] std::ptrdiff_t pixel_step() const noexcept { return offset(0, shape_.over.stride_width); }
    [[nodiscard]] std::ptrdiff_t row_step() const noexcept { return offset(shape_.over.dilation_height, 0); }
    [[nodiscard]] std::ptrdiff_t column_step() const noexcept { return offset(0, shape_.over.dilation_width); }
    /// Offset of the last pixel's last tap.
    [[nodiscard]] std::ptrdiff_t last() const noexcept {
        return corner() + (Pixels - 1) * pixel_step() + (shape_.over.kernel_height - 1) * row_step() +
               (shape_.over.kernel_width - 1) * column_step();
    }
    /// Index in the output of the first pixel of an interior tile.
    [[nodiscard]] std::ptrdiff_t interior_output() const noexcept {
        return static_cast<std::ptrdiff_t>(y_) * shape_.out.width + x_;
    }

    /// What a tile that is not interior must know of every pixel.
    struct pixel {
        int row;               ///< of the first tap, inside the image or not
        int column;            ///< likewise
        std::ptrdiff_t output; ///< index in the output
    };
    void pixels(pixel (&all)[std::size_t{Pixels}]) const noexcept {
        int y = y_, x = x_;
        for (int p = 0; p < Pixels; ++p) {
            all[p] = {.row = y * shape_.over.stride_height - shape_.over.pad_top,
                      .column = x * shape_.over.stride_width - shape_.over.pad_left,
                      .output = static_cast<std::ptrdiff_t>(y) * shape_.out.width + x};
            if (first_ + p + 1 < count_ && ++x == shape_.out.width) {
                x = 0;
                ++y;
            }
        }
    }

    /// Offset of a pixel of the input.
    [[nodiscard]] std::ptrdiff_t offset(int row, int column) const noexcept {
        return (static_cast<std::ptrdiff_t>(row) * shape_.in.width + column) * shape_.in.channels;
    }
    [[nodiscard]] bool is_inside(int row, int column) const noexcept {
        return row >= 0 && row < shape_.in.height && column >= 0 && column < shape_.in.width;
    }

  private:
    [[nodiscard]] int top() const noexcept { return y_ * shape_.over.stride_height - shape_.over.pad_top; }
    [[nodiscard]] int left() const noexcept { return x_ * shape_.over.stride_width - shape_.over.pad_left; }

    const convolution_shape& shape_;
    int count_;
    int first_ = 0;
    int y_ = 0;
    int x_ = 0;
};

} // namespace statiq::kernels::vectorized
