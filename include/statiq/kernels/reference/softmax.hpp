// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/softmax_primitives.hpp>
#include <statiq/kernels/reference/stored.hpp>
#include <statiq/numeric/fixed_point.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/tensor/extents.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace statiq::kernels::reference {

/// How a difference of stored inputs becomes the exponent of softmax.
struct softmax_parameters {
    std::int32_t multiplier = 0; ///< (difference * 2^left_shift) * multiplier / 2^31 is the exponent in Q5.26
    int left_shift = 0;
    std::int32_t lowest_difference = 0; ///< below it the exponential counts as zero: the exponent is less than -31
    friend constexpr bool operator==(const softmax_parameters&, const softmax_parameters&) = default;
};

/// The parameters for exponents beta * input_scale * difference. Where one step is less than a unit of Q5.26, which
/// TensorFlow Lite refuses, the multiplier loses low bits instead of the shift becoming negative.
/// @pre 0 < beta * input_scale.
[[nodiscard]] constexpr softmax_parameters prepare_softmax(float input_scale, float beta = 1) noexcept {
    const double real = (std::min)(static_cast<double>(beta) * static_cast<double>(input_scale) * 0x1p26, 0x1p31 - 1);
    const fixed_point step = quantize_multiplier(real);
    if (step.shift < 0)
        return {.multiplier = rounding_divide_by_power_of_two(step.multiplier, -step.shift),
                .left_shift = 0,
                .lowest_difference = -(31 << 26)};
    return {.multiplier = step.multiplier,
            .left_shift = step.shift,
            .lowest_difference = static_cast<std::int32_t>(-((std::int64_t{31} << 26) >> step.shift))};
}

/// Softmax over the channels of every pixel.
/// @tparam Out an 8 bit type; the output's scale is 1/256 and its zero point Out's lowest integer.
template <stored_integer In, stored_integer Out>
requires(sizeof(Out) == 1) struct softmax_arguments {
    const In* input = nullptr; ///< in.height x in.width x in.channels; its zero point plays no role
    extents in{};
    softmax_parameters parameters{};
    Out* output = nullptr; ///< as many
};

/// The same over floats.
struct float_softmax_arguments {
    const float* input = nullptr; ///< in.height x in.width x in.channels
    extents in{};
    float beta = 1;
    float* output = nullptr; ///< as many; may be the input
};

/// y = e^(s (q - max)) / sum of e^(s (q - max)) in fixed point: SOFTMAX of TensorFlow Lite's reference kernels, bit for
/// bit. The exponents are Q5.26, the exponentials Q0.31, their sum Q12.19. Where the sum is 512 or more, TensorFlow
/// Lite shifts by more than its arithmetic defines; here the quotient is then rounded as it is everywhere else.
template <stored_integer In, stored_integer Out>
constexpr void softmax(const softmax_arguments<In, Out>& of) noexcept {
    constexpr int sum_integer_digits = 12;
    constexpr int output_bits = 8;
    const auto channels = static_cast<std::size_t>(of.in.channels);
    const auto exponential = [&of](std::int32_t difference) {
        const auto shifted = static_cast<std::int32_t>(difference * (std::int64_t{1} << of.parameters.left_shift));
        return exp_on_negative_values(saturating_rounding_doubling_high_multiply(shifted, of.parameters.multiplier));
    };
    for (std::size_t pixel = 0; pixel < of.in.pixels(); ++pixel) {
        const In* row = of.input + pixel * channels;
        const std::int32_t highest = *std::max_element(row, row + channels);
        std::int64_t sum = 0;
        for (std::size_t c = 0; c < channels; ++c)
            if (row[c] - highest >= of.parameters.lowest_difference)
                sum += rounding_divide_by_power_of_two(exponential(row[c] - highest), sum_integer_digits);
        // From 4096 on every quotient rounds to 0 at 8 bits, so saturating the sum changes no result.
        const fixed_point_reciprocal inverse = reciprocal(math::saturate<std::int32_t>(sum), sum_integer_digits);
        const int right_shift = inverse.shift + 31 - output_bits;
        for (std::size_t c = 0; c < channels; ++c) {
            std::int32_t quotient = 0;
            // A shift by more than 31 takes any int32 to less than a half, which rounds to 0.
            if (row[c] - highest >= of.parameters.lowest_difference && right_shift <= 31)
                quotient = rounding_divide_by_power_of_two(
                    saturating_rounding_doubling_high_multiply(inverse.value, exponential(row[c] - highest)),
                    right_shift);
            of.output[pixel * channels + c] = static_cast<Out>(
                (std::min)(quotient, (std::int32_t{1} << output_bits) - 1) + std::numeric_limits<Out>::lowest());
        }
    }
}

/// y = e^(beta (x - max)) / sum of e^(beta (x - max)), summed in double.
inline void softmax(const float_softmax_arguments& of) noexcept {
    const auto channels = static_cast<std::size_t>(of.in.channels);
    for (std::size_t pixel = 0; pixel < of.in.pixels(); ++pixel) {
        const float* row = of.input + pixel * channels;
        float* result = of.output + pixel * channels;
        const float highest = *std::max_element(row, row + channels);
        double sum = 0;
        for (std::size_t c = 0; c < channels; ++c) {
            result[c] = std::exp(of.beta * (row[c] - highest));
            sum += static_cast<double>(result[c]);
        }
        for (std::size_t c = 0; c < channels; ++c) result[c] = static_cast<float>(static_cast<double>(result[c]) / sum);
    }
}

} // namespace statiq::kernels::reference
