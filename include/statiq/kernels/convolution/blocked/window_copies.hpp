// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/blocked/window_walk.hpp>
#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/convolution/region.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace statiq::kernels::vectorized {

/// Copies of windows that a tile cannot read in the image. A window is copied to scratch memory, with its padding, if
/// its runs are shorter than a step or if the image's border cuts its rows. The rest of each row, behind its whole
/// steps, is gathered.
/// @tparam Inputs values per step. @tparam Pixels pixels of the largest tile.
template <class Input, class Weight, int Inputs, int Pixels, bool Gathers>
class window_copies {
    using layout = blocked_layout<Inputs>;
    using walk = window_walk<Inputs, Weight, Gathers>;

  public:
    /// @param copies memory for one window per pixel, `copy_size` values apart; null if no window is copied
    window_copies(Input* copies, std::ptrdiff_t copy_size) noexcept : copies_(copies), copy_size_(copy_size) {}

    /// @param windows how the region's windows are read. @param image the image, from the first channel of a group
    void take(const convolution_shape& shape, const region& r, const layout& packed, const walk& windows,
              const Input* image, Input padding) noexcept {
        const int channels = packed.in_channels;
        windows_ = windows;
        image_ = image;
        if constexpr (Gathers)
            for (auto& values : gathered_) std::fill_n(values, windows.gathered_steps * Inputs, padding);
        first_gathered_ = packed.first_gathered() + windows.first_row * windows.rest;
        if (!windows.is_copied) return;
        row_step_ = image_row_step(shape);
        column_step_ = image_column_step(shape);
        from_ = Gathers ? r.columns.first * channels : 0;
        values_ = Gathers ? (r.columns.last - r.columns.first) * channels : channels;
        for (int pixel = 0; pixel < Pixels; ++pixel)
            std::fill_n(copies_ + pixel * copy_size_, windows.rows * windows.row_step, padding);
    }

    /// @param first offset of the window's first value in the image, or outside of it
    [[gnu::noinline]] const Input* copy(std::ptrdiff_t first, int pixel) noexcept {
        Input* const copy = copies_ + pixel * copy_size_;
        Input* to = copy;
        for (int row = 0; row < windows_.rows; ++row)
            for (int run = 0; run < windows_.runs; ++run, to += windows_.run_step)
                std::copy_n(image_ + (first + row * row_step_ + run * column_step_ + from_), values_, to + from_);
        return copy;
    }

    /// Gathers the rest of the window's rows.
    [[gnu::noinline]] void gather(const Input* x, int pixel) noexcept {
        x += windows_.steps * Inputs;
        Input* to = gathered_[pixel] + first_gathered_;
        for (int row = 0; row < windows_.rows; ++row, x += windows_.row_step, to += windows_.rest)
            for (int i = 0; i < windows_.rest; ++i) to[i] = x[i];
    }
    /// The same for a window with `gathers_three_bytes`, stored as one word: loading a word right after its bytes were
    /// stored would stall (store forwarding fails). @param row_step the caller's, which is in a register
    [[gnu::always_inline]] void gather_three_bytes(const Input* x, int pixel, std::ptrdiff_t row_step) noexcept {
        const Input* const from = x + short_row * Inputs;
        const auto byte = [&](int row) { return std::uint32_t{static_cast<std::uint8_t>(from[row * row_step])}; };
        const std::uint32_t word = byte(0) << 8 | byte(1) << 16 | byte(2) << 24;
        std::memcpy(gathered_[pixel], &word, sizeof(word));
    }
    [[nodiscard]] const Input* gathered(int pixel) const noexcept { return gathered_[pixel]; }

  private:
    walk windows_;
    const Input* image_ = nullptr;
    int first_gathered_ = 0;
    int from_ = 0;   ///< of a run's values
    int values_ = 0; ///< of a run
    std::ptrdiff_t row_step_ = 0;
    std::ptrdiff_t column_step_ = 0;
    /// One row per pixel. Values outside the image are padding.
    Input gathered_[std::size_t{Pixels}][std::size_t{Gathers ? layout::most_gathered : 1}];
    Input* copies_;
    std::ptrdiff_t copy_size_;
};

} // namespace statiq::kernels::vectorized
