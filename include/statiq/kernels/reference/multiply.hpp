// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/requantize.hpp>
#include <statiq/tensor/extents.hpp>

#include <cstddef>
#include <cstdint>

namespace statiq::kernels::reference {

/// How a factor is laid over the output: the distance of its values from pixel to pixel and from channel to channel. A
/// distance is 0 where the factor is repeated.
struct repeated_factor {
    std::size_t pixel_stride = 0;
    std::size_t channel_stride = 0;

    [[nodiscard]] static constexpr repeated_factor of(const extents& factor, const extents& out) noexcept {
        const bool over_pixels = factor.pixels() == 1 && out.pixels() > 1;
        const bool over_channels = factor.channels == 1 && out.channels > 1;
        return {over_pixels ? 0 : static_cast<std::size_t>(factor.channels), over_channels ? 0U : 1U};
    }
};

/// visit(value, first factor's index, second factor's index) for every value of pixels [begin, end), in order.
template <class Visit>
constexpr void for_each_product(const repeated_factor& first, const repeated_factor& second, std::size_t channels,
                                std::size_t begin, std::size_t end, Visit&& visit) noexcept {
    for (std::size_t pixel = begin; pixel < end; ++pixel)
        for (std::size_t c = 0; c < channels; ++c)
            visit(pixel * channels + c, pixel * first.pixel_stride + c * first.channel_stride,
                  pixel * second.pixel_stride + c * second.channel_stride);
}

template <class In, class Out, class Scheme>
struct multiply_arguments {
    const In* first = nullptr;
    const In* second = nullptr;
    repeated_factor of_first{};
    repeated_factor of_second{};
    std::size_t channels = 1; ///< of the output
    std::size_t begin = 0;    ///< the first pixel that is computed
    std::size_t end = 0;      ///< and the one behind the last
    std::int32_t first_zero_point = 0;
    std::int32_t second_zero_point = 0;
    typename Scheme::factor factor{}; ///< of s_a s_b / s_y
    std::int32_t output_zero_point = 0;
    std::int32_t lowest = 0;
    std::int32_t highest = 0;
    Out* output = nullptr; ///< all of it
};

/// y = clamp(requantize((a - z_a)(b - z_b)) + z_y): TensorFlow Lite's MUL.
template <class In, class Out, class Scheme>
constexpr void multiply(const multiply_arguments<In, Out, Scheme>& of) noexcept {
    for_each_product(
        of.of_first, of.of_second, of.channels, of.begin, of.end, [&](std::size_t i, std::size_t a, std::size_t b) {
            const std::int32_t product = (of.first[a] - of.first_zero_point) * (of.second[b] - of.second_zero_point);
            of.output[i] = static_cast<Out>(
                statiq::requantize<Scheme>(product, of.factor, of.output_zero_point, of.lowest, of.highest));
        });
}

} // namespace statiq::kernels::reference
