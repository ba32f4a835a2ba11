// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/tensor/extents.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace statiq::kernels::reference {

/// The mean over all pixels of one HWC image (global average pooling), with its own output scale.
template <stored_integer In, stored_integer Out, requantization_scheme Scheme>
struct mean_arguments {
    const In* input = nullptr; ///< in.height x in.width x in.channels
    extents in{};
    std::int32_t input_zero_point = 0;
    typename Scheme::factor factor{}; ///< Scheme::prepare_mean(input scale / output scale, in.pixels())
    std::int32_t output_zero_point = 0;
    std::int32_t lowest = unclamped_lowest<Out>;
    std::int32_t highest = unclamped_highest<Out>;
    Out* output = nullptr; ///< in.channels values
};

/// The same over floats; the result is clamped to [lowest, highest].
struct float_mean_arguments {
    const float* input = nullptr; ///< in.height x in.width x in.channels
    extents in{};
    float lowest = unclamped_lowest<float>;
    float highest = unclamped_highest<float>;
    float* output = nullptr; ///< in.channels values
};

namespace detail {

/// Calls result(channel, sum over all pixels of that channel).
template <stored In, class Result>
constexpr void sum_channels(const In* input, const extents& in, Result result) noexcept {
    const auto channels = static_cast<std::size_t>(in.channels);
    for (std::size_t first = 0; first < channels; first += channel_block) {
        const std::size_t block = std::min<std::size_t>(channel_block, channels - first);
        sum_of<In> sums[channel_block] = {};
        for (std::size_t pixel = 0; pixel < in.pixels(); ++pixel)
            for (std::size_t c = 0; c < block; ++c) sums[c] += input[pixel * channels + first + c];
        for (std::size_t c = 0; c < block; ++c) result(first + c, sums[c]);
    }
}

} // namespace detail

/// y[c] = clamp(Scheme::apply(sum over pixels of (q[c] - zero point), factor) + output zero point). The division by the
/// number of pixels is part of the factor, as in MEAN over height and width of TensorFlow Lite's reference kernels,
/// which the scheme `gemmlowp` equals bit for bit.
/// @pre pixels * 2^bits <= 2^31: up to 2^23 pixels of 8 bits or 2^15 of 16 bits.
template <requantization_scheme Scheme, stored_integer In, stored_integer Out>
constexpr void mean(const mean_arguments<In, Out, Scheme>& of) noexcept {
    const std::int32_t zeros = of.input_zero_point * static_cast<std::int32_t>(of.in.pixels());
    detail::sum_channels(of.input, of.in, [&](std::size_t channel, std::int32_t sum) {
        of.output[channel] = static_cast<Out>(
            statiq::requantize<Scheme>(sum - zeros, of.factor, of.output_zero_point, of.lowest, of.highest));
    });
}

/// y[c] = clamp(sum over pixels of x[c] / pixels), summed in double and rounded to float once.
constexpr void mean(const float_mean_arguments& of) noexcept {
    const auto pixels = static_cast<double>(of.in.pixels());
    detail::sum_channels(of.input, of.in, [&](std::size_t channel, double sum) {
        of.output[channel] = std::clamp(static_cast<float>(sum / pixels), of.lowest, of.highest);
    });
}

} // namespace statiq::kernels::reference
