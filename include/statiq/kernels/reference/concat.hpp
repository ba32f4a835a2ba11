// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/convert.hpp>
#include <statiq/kernels/reference/stored.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/tensor/extents.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace statiq::kernels::reference {

/// One input of a concatenation along the channels: its place in the wider image, and how to get to its scale.
template <stored_integer In, stored_integer Out, requantization_scheme Scheme>
struct concat_arguments {
    const In* input = nullptr; ///< in.height x in.width x in.channels
    extents in{};
    std::int32_t input_zero_point = 0;
    typename Scheme::factor factor{}; ///< Scheme::prepare(input scale / output scale)
    std::int32_t output_zero_point = 0;
    std::int32_t lowest = unclamped_lowest<Out>;
    std::int32_t highest = unclamped_highest<Out>;
    int channels = 0;      ///< of the output
    int first_channel = 0; ///< where this input goes; first_channel + in.channels <= channels
    Out* output = nullptr; ///< in.height x in.width x channels
};

/// The same for floats: a copy.
struct float_concat_arguments {
    const float* input = nullptr; ///< in.height x in.width x in.channels
    extents in{};
    int channels = 0;
    int first_channel = 0;
    float* output = nullptr; ///< in.height x in.width x channels
};

/// Writes output channels [first_channel, first_channel + in.channels) of every pixel, and nothing else:
/// y = clamp(Scheme::apply(q - zero point, factor) + output zero point), as `requantize`. With equal scales and zero
/// points that is an exact copy, as CONCATENATION of TensorFlow Lite (which allows int8 nothing else).
template <requantization_scheme Scheme, stored_integer In, stored_integer Out>
constexpr void concat(const concat_arguments<In, Out, Scheme>& part) noexcept {
    const auto width = static_cast<std::size_t>(part.in.channels);
    for (std::size_t pixel = 0; pixel < part.in.pixels(); ++pixel)
        requantize<Scheme>(requantize_arguments<In, Out, Scheme>{
            .input = part.input + pixel * width,
            .size = width,
            .input_zero_point = part.input_zero_point,
            .factor = part.factor,
            .output_zero_point = part.output_zero_point,
            .lowest = part.lowest,
            .highest = part.highest,
            .output = part.output + pixel * static_cast<std::size_t>(part.channels) +
                      static_cast<std::size_t>(part.first_channel),
        });
}

/// Copies into output channels [first_channel, first_channel + in.channels) of every pixel.
constexpr void concat(const float_concat_arguments& part) noexcept {
    const auto width = static_cast<std::size_t>(part.in.channels);
    for (std::size_t pixel = 0; pixel < part.in.pixels(); ++pixel)
        std::copy_n(part.input + pixel * width, width,
                    part.output + pixel * static_cast<std::size_t>(part.channels) +
                        static_cast<std::size_t>(part.first_channel));
}

} // namespace statiq::kernels::reference
