// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/tensor/window.hpp>

#include <cstddef>

namespace statiq::kernels::vectorized {

/// Distance in the image between two taps of a window's column (row step) and of its row (column step).
[[nodiscard]] inline std::ptrdiff_t image_row_step(const convolution_shape& shape) noexcept {
    return static_cast<std::ptrdiff_t>(shape.over.dilation_height) * shape.in.width * shape.in.channels;
}
[[nodiscard]] inline std::ptrdiff_t image_column_step(const convolution_shape& shape) noexcept {
    return static_cast<std::ptrdiff_t>(shape.over.dilation_width) * shape.in.channels;
}

/// How tiles read a region's windows: rows consist of runs, runs of steps; gathered values follow. A tile keeps this in
/// registers.
/// @tparam Inputs values per step. @tparam Gathers the rest of each row is gathered.
template <int Inputs, class Weight, bool Gathers>
struct window_walk {
    int window_rows = 0;
    int first_row = 0; ///< in the image
    int rows = 0;      ///< rows inside the image
    int runs = 0;      ///< per row
    int steps = 0;     ///< per run
    bool is_copied = false;
    std::ptrdiff_t row_step = 0; ///< in the input, or in the copy
    std::ptrdiff_t run_step = 0;
    std::ptrdiff_t last_step = 0; ///< offset of a run's last step
    const Weight* weights = nullptr;
    std::ptrdiff_t weight_row_step = 0;
    std::ptrdiff_t weight_run_step = 0;
    int rest = 0; ///< values of a row that are gathered
    int gathered_steps = 0;
    const Weight* gathered_weights = nullptr;

    [[nodiscard]] bool has_short_rows() const noexcept { return Gathers && steps == short_row; }
    /// The window has three rows, all inside the image, and gathers one value from each.
    [[nodiscard]] bool gathers_three_bytes() const noexcept {
        return has_short_rows() && rest == 1 && window_rows == 3 && rows == 3;
    }
    /// Calls visit(offset, w) for every run: `offset` of its inputs from a pixel's first input, `w` its weights. This
    /// is one loop, not two nested ones: most windows are one run, and two loops would spill their counters in every
    /// tile.
    template <class Visit>
    [[gnu::always_inline]] void for_each_run(Visit&& visit) const noexcept {
        std::ptrdiff_t row_start = 0, offset = 0;
        const Weight* row_weights = weights;
        const Weight* w = weights;
        if (rows == 0 || runs == 0) return; // the window lies in the padding, or has gathered steps only
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
