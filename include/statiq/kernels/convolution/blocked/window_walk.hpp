// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/tensor/window.hpp>

#include <cstddef>

namespace statiq::kernels::vectorized {

/// From a tap of a window to the next one of its column, and of its row, in the image.
[[nodiscard]] inline std::ptrdiff_t image_row_step(const convolution_shape& shape) noexcept {
    return static_cast<std::ptrdiff_t>(shape.over.dilation_height) * shape.in.width * shape.in.channels;
}
[[nodiscard]] inline std::ptrdiff_t image_column_step(const convolution_shape& shape) noexcept {
    return static_cast<std::ptrdiff_t>(shape.over.dilation_width) * shape.in.channels;
}

/// How tiles read a region's windows: rows of runs of steps, then what is collected of the rows. A tile keeps it in
/// registers.
/// @tparam Inputs values of a step. @tparam Collects what is left of rows is collected.
template <int Inputs, class Weight, bool Collects>
struct window_walk {
    int window_rows = 0;
    int first_row = 0; ///< in the image
    int rows = 0;      ///< so many
    int runs = 0;      ///< of a row
    int steps = 0;     ///< of a run
    bool is_copied = false;
    std::ptrdiff_t row_step = 0; ///< in the input, or in the copy
    std::ptrdiff_t run_step = 0;
    std::ptrdiff_t last_step = 0; ///< of a run: where it starts
    const Weight* weights = nullptr;
    std::ptrdiff_t weight_row_step = 0;
    std::ptrdiff_t weight_run_step = 0;
    int rest = 0; ///< values of a row that are collected
    int collected_steps = 0;
    const Weight* collected_weights = nullptr;

    [[nodiscard]] bool has_short_rows() const noexcept { return Collects && steps == short_row; }
    /// One value of each row, of a window of three rows that are all in the image.
    [[nodiscard]] bool collects_three_bytes() const noexcept {
        return has_short_rows() && rest == 1 && window_rows == 3 && rows == 3;
    }
    /// visit(offset, w) for every run: its inputs start at that offset from a pixel's first, its weights at w. One
    /// loop: most windows are one run, and what two loops keep would be moved about for every tile.
    template <class Visit>
    [[gnu::always_inline]] void for_each_run(Visit&& visit) const noexcept {
        std::ptrdiff_t row_start = 0, offset = 0;
        const Weight* row_weights = weights;
        const Weight* w = weights;
        if (rows == 0 || runs == 0) return; // the window lies in the padding, or has collected steps only
        for (int row = rows, run = runs;;) {
            visit(offset, w);
            if (--run > 0) {
                offset += run_step;
                w += weight_run_step;
            } else {
                if (--row == 0) break;
                run = runs;
                offset = row_start += row_step;
                w = row_weights += weight_row_step;
            }
        }
    }
};

} // namespace statiq::kernels::vectorized
