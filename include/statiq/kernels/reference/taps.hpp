// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/extents.hpp>
#include <statiq/tensor/window.hpp>

#include <cstddef>

namespace statiq::kernels::reference {

/// Calls visit(pixel) for every tap of output pixel (y, x) that lies inside the input image, in row order; `pixel` is
/// the index of the input pixel in row-major order, so its values start at pixel * channels.
/// @return how many taps lie inside.
template <class Visit>
constexpr int for_each_tap_inside(const extents& in, const window& over, int y, int x, Visit visit) noexcept {
    int inside = 0;
    for (int ky = 0; ky < over.kernel_height; ++ky) {
        const int row = y * over.stride_height - over.pad_top + ky * over.dilation_height;
        if (row < 0 || row >= in.height) continue;
        for (int kx = 0; kx < over.kernel_width; ++kx) {
            const int column = x * over.stride_width - over.pad_left + kx * over.dilation_width;
            if (column < 0 || column >= in.width) continue;
            visit(static_cast<std::size_t>(row) * static_cast<std::size_t>(in.width) +
                  static_cast<std::size_t>(column));
            ++inside;
        }
    }
    return inside;
}

} // namespace statiq::kernels::reference
