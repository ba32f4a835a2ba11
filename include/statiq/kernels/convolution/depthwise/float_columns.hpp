// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/depthwise/columns.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/multiply_add.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// float32: the float format of `depthwise_columns`. A column is a register for every row of the window.
template <class Arch>
struct float_columns_format {
    using input = float;
    using output = float;
    using arguments = float_convolution_arguments;
    using accumulator = simd::batch<float, Arch>;
    static constexpr int width = static_cast<int>(accumulator::size);
    static constexpr int panel_blocks = 8;

    static constexpr bool skips_padding = true;
    static constexpr int output_rows = 1;
    static constexpr int image_rows(int window) noexcept { return window; }

    static float padding(const arguments&) noexcept { return 0; }

    /// What a row keeps in registers while it stores: nothing there may alias.
    template <int K>
    struct row_constants {
        simd::first_lanes<float, Arch> lanes;
        float lowest;
        float highest;
        accumulator weights[std::size_t{K * K}];
    };

    template <int Rows>
    struct column {
        accumulator rows[std::size_t{Rows}];

        /// @param row row(ky): where that row's channels start.
        template <class Row, class Constants>
        [[gnu::always_inline]] column(Row row, const Constants& constants) noexcept {
            simd::unroll<Rows>([&](auto ky)
                                   __attribute__((always_inline)) { rows[ky] = constants.lanes.load(row(ky)); });
        }
    };

    static constexpr std::size_t block_bytes(int window) noexcept {
        return float_columns_block(window, std::size_t{width});
    }
    /// @tparam Window its rows and columns
    template <int Window>
    class block {
      public:
        void prepare(const arguments& a, const convolution_shape& shape, int channel, int count) noexcept {
            const simd::first_lanes<float, Arch> lanes(static_cast<std::size_t>(count));
            lanes_ = lanes;
            lowest_ = a.lowest;
            highest_ = a.highest;
            size_ = shape.over.kernel_height;
            for (int tap = 0; tap < size_ * size_; ++tap)
                lanes.load(a.weights + tap * shape.out.channels + channel).store_aligned(taps_[tap]);
            lanes.load(a.bias + channel).store_aligned(start_);
        }
        void take_rows(int first, int) noexcept { weights_ = taps_ + first * size_; }

        /// The weights are of `Rows` rows from the first one inside the image.
        template <int K, int Rows>
        [[nodiscard]] row_constants<K> constants() const noexcept {
            row_constants<K> constants{lanes_, lowest_, highest_, {}};
            for (int tap = 0; tap < Rows * K; ++tap) constants.weights[tap] = accumulator::load_aligned(weights_[tap]);
            return constants;
        }
        [[nodiscard]] [[gnu::always_inline]] accumulator start() const noexcept {
            return accumulator::load_aligned(start_);
        }

        template <int Kx, int Rows, int K>
        [[gnu::always_inline]] void multiply_add(accumulator& acc, const column<Rows>& x,
                                                 const row_constants<K>& constants) const noexcept {
            simd::unroll<Rows>([&](auto ky) __attribute__((always_inline)) {
                acc = simd::multiply_add<Arch>(x.rows[ky], constants.weights[ky * K + Kx], acc);
            });
        }

        template <int K>
        [[gnu::always_inline]] void finish(const accumulator& acc, const row_constants<K>& constants,
                                           float* to) const noexcept {
            // Where registers are few, the bounds are read again every time. MAXPS could read its second operand from
            // memory, but that is the sum, which may be a NaN.
            constexpr bool few = simd::register_count<Arch> < 32;
            const float lowest = few ? lowest_ : constants.lowest, highest = few ? highest_ : constants.highest;
            constants.lanes.store(to, simd::clamp<Arch>(acc, lowest, highest));
        }

      private:
        simd::first_lanes<float, Arch> lanes_;
        float lowest_;
        float highest_;
        int size_;                                   ///< of the window
        const float (*weights_)[std::size_t{width}]; ///< of the rows inside the image
        alignas(64) float taps_[std::size_t{Window * Window}][std::size_t{width}];
        alignas(64) float start_[std::size_t{width}];
    };
};

} // namespace statiq::kernels::vectorized

#endif
