// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/backward/arguments.hpp>
#include <statiq/kernels/backward/depthwise_weight_gradient.hpp>
#include <statiq/kernels/backward/window_columns.hpp>
#include <statiq/kernels/vector_kernel.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/multiply_add.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace statiq::kernels {

/// Pixels whose products are summed by themselves, in the order of the pixels, before they are added to a weight's
/// gradient: what fits the first cache, and short enough that rounding errors stay small.
inline constexpr int pixels_per_sum = 128;

#ifndef STATIQ_NO_SIMD

namespace vectorized {

/// The gradient of a convolution's weights as a matrix product, [outputs x pixels] [pixels x (tap, input channel)]:
/// tiles of the result stay in registers while blocks of pixels, copied side by side, pass by.
template <class Arch>
class weight_gradient_product {
    using floats = simd::batch<float, Arch>;
    static constexpr int lanes = static_cast<int>(floats::size);
    static constexpr int vectors = 2;
    static constexpr int width = vectors * lanes;
    /// Outputs of a tile: what registers hold besides a row of the panel and one broadcast.
    static constexpr int height = simd::register_count<Arch> == 32 ? 12 : 6;
    static constexpr int tiles = 48 / height;

  public:
    weight_gradient_product(const weight_gradient_arguments& arguments, const convolution_shape& shape) noexcept
        : arguments_(arguments), shape_(shape) {}

    void run() noexcept {
        const int per_group = shape_.out_channels_per_group();
        for (int first = arguments_.first_channel, count = 0; first < arguments_.last_channel; first += count) {
            const int group_end = (first / per_group + 1) * per_group;
            count = (std::min)({height * tiles, group_end - first, arguments_.last_channel - first});
            for (std::size_t pixel = arguments_.first_pixel; pixel < arguments_.last_pixel; pixel += pixels_per_sum)
                run_block(first, count, pixel,
                          static_cast<int>(std::min<std::size_t>(pixels_per_sum, arguments_.last_pixel - pixel)));
        }
    }

  private:
    void run_block(int first, int count, std::size_t pixel, int pixels) noexcept {
        copy_outputs(first, count, pixel, pixels);
        const int row = shape_.reduction();
        for (int k = 0; k < row; k += width) {
            const int columns = (std::min)(width, row - k);
            const window_columns<Arch, width> window(shape_, first / shape_.out_channels_per_group(), k, columns);
            window.copy(arguments_.input, pixel, pixels, columns_);
            for (int o = 0; o < count; o += height) {
                float* to = arguments_.gradient + static_cast<std::size_t>(first + o) * static_cast<std::size_t>(row) +
                            static_cast<std::size_t>(k);
                if (columns > lanes)
                    multiply<vectors>(outputs_ + o * pixels_per_sum, pixels, (std::min)(height, count - o), columns,
                                      to);
                else
                    multiply<1>(outputs_ + o * pixels_per_sum, pixels, (std::min)(height, count - o), columns, to);
            }
        }
    }

    /// [tile][pixel][output of the tile], the last tile padded with zeros.
    void copy_outputs(int first, int count, std::size_t pixel, int pixels) noexcept {
        const auto channels = static_cast<std::size_t>(shape_.out.channels);
        for (int o = 0; o < count; o += height) {
            const float* from = arguments_.output_gradient + pixel * channels + static_cast<std::size_t>(first + o);
            float* to = outputs_ + o * pixels_per_sum;
            const int given = (std::min)(height, count - o);
            for (int p = 0; p < pixels; ++p, from += channels, to += height) {
                if (given == height) {
                    std::memcpy(to, from, height * sizeof(float));
                } else {
                    std::fill(std::copy_n(from, given, to), to + height, 0.0F);
                }
            }
        }
    }

    template <int Vectors>
    [[gnu::flatten]] void multiply(const float* outputs, int pixels, int rows, int columns, float* to) const noexcept {
        floats sums[std::size_t{height}][std::size_t{Vectors}];
        for (auto& row : sums)
            for (floats& sum : row) sum = floats(0.0F);
        const float* inputs = columns_;
        for (int p = 0; p < pixels; ++p, inputs += width, outputs += height) {
            floats x[std::size_t{Vectors}];
            simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                x[v] = floats::load_aligned(inputs + v * lanes);
            });
            simd::unroll<height>([&](auto m) __attribute__((always_inline)) {
                const floats dy(outputs[m]);
                simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                    sums[m][v] = simd::multiply_add<Arch>(dy, x[v], sums[m][v]);
                });
            });
        }
        const simd::first_lanes<float, Arch> last(static_cast<std::size_t>(columns - (Vectors - 1) * lanes));
        const auto step = static_cast<std::size_t>(shape_.reduction());
        for (int m = 0; m < rows; ++m, to += step)
            simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                float* at = to + v * lanes;
                if constexpr (v + 1 < Vectors)
                    (floats::load_unaligned(at) + sums[m][v]).store_unaligned(at);
                else
                    last.store(at, last.load(at) + sums[m][v]);
            });
    }

    const weight_gradient_arguments& arguments_;
    const convolution_shape& shape_;
    alignas(64) float outputs_[std::size_t{height * tiles * pixels_per_sum}];
    alignas(64) float columns_[std::size_t{width * pixels_per_sum}];
};

} // namespace vectorized

#endif

#ifndef STATIQ_NO_SIMD
struct weight_gradient_kernel {
    template <class Arch>
    static bool run(const weight_gradient_arguments& arguments, const convolution_shape& shape) noexcept {
        if (shape.is_depthwise()) return vectorized::add_depthwise_weight_gradient<Arch>(arguments, shape);
        vectorized::weight_gradient_product<Arch>(arguments, shape).run();
        return true;
    }
};
#endif

/// dw += sum of x dy, as `reference::add_weight_gradient` up to the rounding of its sums, for a range of the pixels and
/// of the output channels. The result of a channel depends on the range of pixels, and on nothing else of how the work
/// is divided.
template <class Arch = simd::native_arch>
void add_weight_gradient(const weight_gradient_arguments& arguments, const convolution_shape& shape) noexcept {
    if (run_vectors<weight_gradient_kernel, Arch>(arguments, shape)) return;
    add_weight_gradient_by_definition(arguments, shape);
}

} // namespace statiq::kernels
