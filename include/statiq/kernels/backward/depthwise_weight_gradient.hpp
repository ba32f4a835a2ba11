// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/backward/arguments.hpp>
#include <statiq/kernels/reference/convolution.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/multiply_add.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>

namespace statiq::kernels {

/// The sums as they are defined, pixel by pixel: for convolutions that no faster way takes.
inline void add_weight_gradient_by_definition(const weight_gradient_arguments& of,
                                              const convolution_shape& shape) noexcept {
    const int in_channels = shape.in_channels_per_group();
    for (std::size_t p = of.first_pixel; p < of.last_pixel; ++p) {
        const auto within = static_cast<int>(p % shape.out.pixels());
        const float* image = of.input + p / shape.out.pixels() * shape.in.size();
        const float* given = of.output_gradient + p * static_cast<std::size_t>(shape.out.channels);
        reference::for_each_tap(
            shape.over, shape.in, within / shape.out.width, within % shape.out.width, [&](int tap, std::size_t pixel) {
                for (int o = of.first_channel; o < of.last_channel; ++o) {
                    const float* values = image + pixel * static_cast<std::size_t>(shape.in.channels) +
                                          o / shape.out_channels_per_group() * in_channels;
                    for (int c = 0; c < in_channels; ++c)
                        of.gradient[shape.weight_index(o, tap, c)] += values[c] * given[o];
                }
            });
    }
}

#ifndef STATIQ_NO_SIMD

namespace vectorized {

/// The gradient of a depthwise convolution's weights, for square windows of K: sums of all taps stay in registers while
/// a sample's pixels pass by, for as many channels as a register holds.
template <class Arch, int K>
class depthwise_weight_sums {
    using floats = simd::batch<float, Arch>;
    static constexpr int lanes = static_cast<int>(floats::size);

  public:
    depthwise_weight_sums(const weight_gradient_arguments& arguments, const convolution_shape& shape) noexcept
        : arguments_(arguments), shape_(shape) {
        const window& over = shape.over;
        const int reach = (K - 1) * over.dilation_width;
        first_inside_ = (std::min)(shape.out.width, (over.pad_left + over.stride_width - 1) / over.stride_width);
        const int room = shape.in.width - 1 - reach + over.pad_left;
        last_inside_ =
            (std::max)(first_inside_, room < 0 ? 0 : (std::min)(shape.out.width, room / over.stride_width + 1));
    }

    void run() noexcept {
        const std::size_t pixels = shape_.out.pixels();
        for (int channel = arguments_.first_channel; channel < arguments_.last_channel; channel += lanes) {
            lanes_ = simd::first_lanes<float, Arch>(
                static_cast<std::size_t>((std::min)(lanes, arguments_.last_channel - channel)));
            for (std::size_t s = arguments_.first_pixel / pixels; s < arguments_.last_pixel / pixels; ++s)
                add_sample(arguments_.input + s * shape_.in.size() + channel,
                           arguments_.output_gradient + s * shape_.out.size() + channel, arguments_.gradient + channel);
        }
    }

  private:
    struct sums {
        floats of[std::size_t{K * K}];
    };
    /// A row of the image; one outside it is a zero that is everywhere.
    struct row {
        const float* from;
        std::ptrdiff_t step;
    };

    void add_sample(const float* input, const float* given, float* to) const noexcept {
        const auto channels = static_cast<std::ptrdiff_t>(shape_.out.channels);
        sums acc;
        for (floats& sum : acc.of) sum = floats(0.0F);
        for (int y = 0; y < shape_.out.height; ++y) {
            row rows[std::size_t{K}];
            for (int ky = 0; ky < K; ++ky) {
                const int at = y * shape_.over.stride_height - shape_.over.pad_top + ky * shape_.over.dilation_height;
                const bool inside = at >= 0 && at < shape_.in.height;
                rows[ky] =
                    inside ? row{input + std::ptrdiff_t{at} * shape_.in.width * channels, channels} : row{zeros_, 0};
            }
            int x = 0;
            for (; x < first_inside_; ++x, given += channels) add_pixel<true>(rows, x, given, acc);
            for (; x < last_inside_; ++x, given += channels) add_pixel<false>(rows, x, given, acc);
            for (; x < shape_.out.width; ++x, given += channels) add_pixel<true>(rows, x, given, acc);
        }
        for (int tap = 0; tap < K * K; ++tap, to += channels) lanes_.store(to, lanes_.load(to) + acc.of[tap]);
    }

    template <bool AtSides>
    [[gnu::always_inline]] void add_pixel(const row (&rows)[std::size_t{K}], int x, const float* given,
                                          sums& acc) const noexcept {
        const floats dy = lanes_.load(given);
        const std::ptrdiff_t first = std::ptrdiff_t{x} * shape_.over.stride_width - shape_.over.pad_left;
        const std::ptrdiff_t apart = shape_.over.dilation_width;
        simd::unroll<K>([&](auto ky) __attribute__((always_inline)) {
            simd::unroll<K>([&](auto kx) __attribute__((always_inline)) {
                const std::ptrdiff_t column = first + kx * apart;
                const float* from = rows[ky].from + column * rows[ky].step;
                if constexpr (AtSides) from = column >= 0 && column < shape_.in.width ? from : zeros_;
                acc.of[ky * K + kx] = simd::multiply_add<Arch>(lanes_.load(from), dy, acc.of[ky * K + kx]);
            });
        });
    }

    const weight_gradient_arguments& arguments_;
    const convolution_shape& shape_;
    int first_inside_;
    int last_inside_;
    simd::first_lanes<float, Arch> lanes_{};
    alignas(64) float zeros_[std::size_t{lanes}] = {};
};

/// @return whether it takes this convolution; if not, nothing has been done
template <class Arch>
bool add_depthwise_weight_gradient(const weight_gradient_arguments& arguments,
                                   const convolution_shape& shape) noexcept {
    if (shape.in.channels != shape.out.channels || shape.over.kernel_height != shape.over.kernel_width) return false;
    if (shape.over.kernel_height == 3)
        depthwise_weight_sums<Arch, 3>(arguments, shape).run();
    else if (shape.over.kernel_height == 5)
        depthwise_weight_sums<Arch, 5>(arguments, shape).run();
    else
        return false;
    return true;
}

} // namespace vectorized

#endif

} // namespace statiq::kernels
