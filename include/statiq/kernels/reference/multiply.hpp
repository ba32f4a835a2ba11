// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/requantize.hpp>
#include <statiq/tensor/extents.hpp>

#include <cstddef>
#include <cstdint>

namespace statiq::kernels::reference {

/// Where a factor's value stands for each of the output's: the tensor itself, a vector of channels that all pixels
/// share, or one value.
struct repeated_factor {
    bool over_pixels = false;
    bool over_channels = false;

    [[nodiscard]] static constexpr repeated_factor of(const extents& factor, const extents& out) {
        return {factor.pixels() == 1 && out.pixels() > 1, factor.channels == 1 && out.channels > 1};
    }
    [[nodiscard]] constexpr std::size_t index(std::size_t value, std::size_t channels) const {
        const std::size_t channel = over_channels ? 0 : value % channels;
        if (over_pixels) return channel;
        return over_channels ? value / channels : value;
    }
};

template <class In, class Out, class Scheme>
struct multiply_arguments {
    const In* first = nullptr;
    const In* second = nullptr;
    repeated_factor of_first{};
    repeated_factor of_second{};
    std::size_t channels = 1; ///< of the output
    std::size_t begin = 0;    ///< of the output's values, the first that is computed
    std::size_t size = 0;
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
    for (std::size_t i = of.begin; i < of.begin + of.size; ++i) {
        const std::int32_t a = of.first[of.of_first.index(i, of.channels)] - of.first_zero_point;
        const std::int32_t b = of.second[of.of_second.index(i, of.channels)] - of.second_zero_point;
        of.output[i] =
            static_cast<Out>(statiq::requantize<Scheme>(a * b, of.factor, of.output_zero_point, of.lowest, of.highest));
    }
}

} // namespace statiq::kernels::reference
