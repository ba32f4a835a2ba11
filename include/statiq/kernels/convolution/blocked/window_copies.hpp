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

/// What a tile cannot read in the image, in memory of its own, a pixel at a time: windows with runs that are shorter
/// than a step, or with rows that the image cuts, are copied to scratch memory, padding included; what is left of a
/// window's rows after whole steps is collected.
/// @tparam Inputs values of a step. @tparam Pixels of the largest tile.
template <class Input, class Weight, int Inputs, int Pixels, bool Collects>
class window_copies {
    using layout = blocked_layout<Inputs>;
    using walk = window_walk<Inputs, Weight, Collects>;

  public:
    /// @param copies memory for a window of every pixel, `copy_size` values apart; null if no window is copied.
    window_copies(Input* copies, std::ptrdiff_t copy_size) noexcept : copies_(copies), copy_size_(copy_size) {}

    /// @param windows how the windows of the region are read. @param image with the channels of any group.
    void take(const convolution_shape& shape, const region& r, const layout& packed, const walk& windows,
              const Input* image, Input padding) noexcept {
        const int channels = packed.in_channels;
        windows_ = windows;
        image_ = image;
        if constexpr (Collects)
            for (auto& values : collected_) std::fill_n(values, windows.collected_steps * Inputs, padding);
        first_collected_ = packed.first_collected() + windows.first_row * windows.rest;
        if (!windows.is_copied) return;
        row_step_ = image_row_step(shape);
        column_step_ = image_column_step(shape);
        from_ = Collects ? r.columns.first * channels : 0;
        values_ = Collects ? (r.columns.last - r.columns.first) * channels : channels;
        for (int pixel = 0; pixel < Pixels; ++pixel)
            std::fill_n(copies_ + pixel * copy_size_, windows.rows * windows.row_step, padding);
    }

    /// @param first where the window starts in the image, or outside.
    [[gnu::noinline]] const Input* copy(std::ptrdiff_t first, int pixel) noexcept {
        Input* const copy = copies_ + pixel * copy_size_;
        Input* to = copy;
        for (int row = 0; row < windows_.rows; ++row)
            for (int run = 0; run < windows_.runs; ++run, to += windows_.run_step)
                std::copy_n(image_ + (first + row * row_step_ + run * column_step_ + from_), values_, to + from_);
        return copy;
    }

    /// What is left of a window's rows, one after another.
    [[gnu::noinline]] void collect(const Input* x, int pixel) noexcept {
        x += windows_.steps * Inputs;
        Input* to = collected_[pixel] + first_collected_;
        for (int row = 0; row < windows_.rows; ++row, x += windows_.row_step, to += windows_.rest)
            for (int i = 0; i < windows_.rest; ++i) to[i] = x[i];
    }
    /// The same of a window that `collects_three_bytes`, as a word, as it is read: what bytes were stored to a word
    /// would have to wait for. @param row_step of the windows, in the caller's register.
    [[gnu::always_inline]] void collect_three_bytes(const Input* x, int pixel, std::ptrdiff_t row_step) noexcept {
        const Input* const from = x + short_row * Inputs;
        const auto byte = [&](int row) { return std::uint32_t{static_cast<std::uint8_t>(from[row * row_step])}; };
        const std::uint32_t word = byte(0) << 8 | byte(1) << 16 | byte(2) << 24;
        std::memcpy(collected_[pixel], &word, sizeof(word));
    }
    [[nodiscard]] const Input* collected(int pixel) const noexcept { return collected_[pixel]; }

  private:
    walk windows_;
    const Input* image_ = nullptr;
    int first_collected_ = 0;
    int from_ = 0;   ///< of a run's values
    int values_ = 0; ///< of a run
    std::ptrdiff_t row_step_ = 0;
    std::ptrdiff_t column_step_ = 0;
    /// Of each pixel; what lies outside the image is padding.
    Input collected_[std::size_t{Pixels}][std::size_t{Collects ? layout::most_collected : 1}];
    Input* copies_;
    std::ptrdiff_t copy_size_;
};

} // namespace statiq::kernels::vectorized
