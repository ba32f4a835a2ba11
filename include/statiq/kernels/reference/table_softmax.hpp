// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/numeric/rounding.hpp>
#include <statiq/tensor/extents.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace statiq::kernels::reference {

/// Differences that 8-bit integers can have: 0 to 255.
inline constexpr std::size_t exponential_count = 256;

/// exp(-scale * d) for every difference d of two 8-bit integers.
inline void fill_exponentials(float input_scale, float* table) noexcept {
    for (std::size_t d = 0; d < exponential_count; ++d)
        table[d] = static_cast<float>(std::exp(-static_cast<double>(input_scale) * static_cast<double>(d)));
}

/// What softmax by table reads and writes.
template <stored_integer In, stored_integer Out>
requires(sizeof(In) == 1 && sizeof(Out) == 1) struct table_softmax_arguments {
    const In* input = nullptr; ///< in.height x in.width x in.channels; its zero point plays no role
    extents in{};
    const float* table = nullptr; ///< exponential_count values of `fill_exponentials`
    Out* output = nullptr;        ///< as many as the input, at scale 1/256 and the lowest integer as zero point
};

/// Softmax over each pixel's channels with exponentials from a table and a float sum: TensorFlow Lite's kernel for
/// general processors, round(256 e / sum) half away from zero. Results differ from the fixed-point `softmax` in some
/// elements by one step. The sum is taken channel by channel, so that every machine gives the same bits.
template <stored_integer In, stored_integer Out>
constexpr void table_softmax(const table_softmax_arguments<In, Out>& of) noexcept {
    const auto channels = static_cast<std::size_t>(of.in.channels);
    for (std::size_t pixel = 0; pixel < of.in.pixels(); ++pixel) {
        const In* row = of.input + pixel * channels;
        const int highest = *std::max_element(row, row + channels);
        const auto exponential = [&](std::size_t c) { return of.table[static_cast<std::size_t>(highest - row[c])]; };
        float sum = 0;
        for (std::size_t c = 0; c < channels; ++c) sum += exponential(c);
        const float inverse = 1.0F / (sum * (1.0F / 256.0F));
        for (std::size_t c = 0; c < channels; ++c) {
            const std::int64_t steps = half_away{}(static_cast<double>(exponential(c) * inverse));
            of.output[pixel * channels + c] =
                static_cast<Out>(std::min<std::int64_t>(steps, 255) + std::int64_t{std::numeric_limits<Out>::lowest()});
        }
    }
}

} // namespace statiq::kernels::reference
