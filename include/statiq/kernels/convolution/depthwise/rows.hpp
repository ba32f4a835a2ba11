// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/kernels/scratch.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>

/// The loop nest of depthwise convolutions on few channels: K x K windows, stride 1, no dilation. A register holds a
/// stretch of neighbouring pixels, whose channels are contiguous in memory. The rows under the window are kept in a
/// ring buffer with padding, so that no stretch meets the image's edge. `Format` is the one of `depthwise_columns`.
namespace statiq::kernels::vectorized {

template <class Format, int K>
class depthwise_rows {
    using input = typename Format::input;
    using column = typename Format::template column<K>;
    using block_type = typename Format::template block<K>;
    static constexpr int width = Format::width;

  public:
    depthwise_rows(const typename Format::arguments& arguments, const convolution_shape& shape) noexcept
        : arguments_(arguments), shape_(shape), pixels_((std::min)(width / shape.in.channels, shape.out.width)),
          row_size_(padded_row_values(shape)) {
        static_assert(width <= 64 && sizeof(input) == 1);
        static_assert(sizeof(block_type) <= Format::block_bytes(K), "statiq: a scheme's lanes exceed its lane_bytes");
        scratch_memory scratch = arguments.scratch;
        block_ = scratch.take<block_type>(1);
        block_->prepare(arguments, shape, 0, shape.in.channels, pixels_);
        block_->take_rows(0, K);
        // Behind a row lies what the last run reads too far.
        ring_ = scratch.take<input>(K * row_size_);
        std::fill_n(ring_, K * row_size_, Format::padding(arguments));
    }

    void run() noexcept {
        const int top = -shape_.over.pad_top;
        for (int ky = 0; ky + 1 < K; ++ky) fetch(top + ky);
        for (int y = 0; y < shape_.out.height; ++y) {
            fetch(top + y + K - 1);
            row(y);
        }
    }

  private:
    [[nodiscard]] input* slot(int image_row) noexcept {
        return ring_ + static_cast<std::size_t>((image_row % K + K) % K) * row_size_;
    }

    void fetch(int image_row) noexcept {
        const int channels = shape_.in.channels;
        const int before = (std::min)(shape_.over.pad_left, shape_.out.width + K - 1);
        const int columns = (std::min)(shape_.in.width, shape_.out.width + K - 1 - before);
        input* row = slot(image_row) + before * channels;
        if (image_row < 0 || image_row >= shape_.in.height)
            std::fill_n(row, columns * channels, Format::padding(arguments_));
        else
            std::copy_n(arguments_.input + static_cast<std::ptrdiff_t>(image_row) * shape_.in.width * channels,
                        columns * channels, row);
    }

    [[gnu::flatten]] void row(int y) noexcept {
        const input* rows[std::size_t{K}];
        for (int ky = 0; ky < K; ++ky) rows[ky] = slot(y - shape_.over.pad_top + ky);
        const block_type& block = *block_;
        const auto constants = block.template constants<K>();
        const std::ptrdiff_t channels = shape_.in.channels;
        typename Format::output* to = arguments_.output + static_cast<std::ptrdiff_t>(y) * shape_.out.width * channels;
        const int last = shape_.out.width - pixels_; // the last run ends with the row, and may overlap the one before
        for (int x = 0; x < shape_.out.width; x += pixels_) {
            const std::ptrdiff_t first = (std::min)(x, last) * channels;
            auto acc = block.start();
            simd::unroll<K>([&](auto kx) __attribute__((always_inline)) {
                const auto at = [&](auto ky) __attribute__((always_inline)) {
                    return rows[ky] + first + kx * channels;
                };
                block.template multiply_add<kx>(acc, column(at, constants), constants);
            });
            block.finish(acc, constants, to + first);
        }
    }

    const typename Format::arguments& arguments_;
    const convolution_shape& shape_;
    int pixels_;           ///< of a run
    std::size_t row_size_; ///< of the ring
    block_type* block_;    ///< in scratch memory, and behind it
    input* ring_;          ///< K padded rows
};

} // namespace statiq::kernels::vectorized
