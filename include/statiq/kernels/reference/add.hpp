// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/numeric/requantize.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace statiq::kernels::reference {

/// How many tensors one sum may have: what `add_left_shift` leaves room for in int32.
inline constexpr std::size_t max_add_inputs = 8;

/// One tensor of a sum.
template <stored_integer In, requantization_scheme Scheme>
struct add_input {
    const In* data = nullptr; ///< `size` values
    std::int32_t zero_point = 0;
    typename Scheme::factor factor{}; ///< brings it to the inputs' common scale; see prepare_add
};

/// The element-wise sum of tensors with different scales.
template <stored_integer In, stored_integer Out, requantization_scheme Scheme>
struct add_arguments {
    std::span<const add_input<In, Scheme>> inputs{}; ///< 1 to max_add_inputs
    std::size_t size = 0;                            ///< values in each tensor
    int left_shift = 0;                              ///< fraction bits of the common scale
    typename Scheme::factor factor{};                ///< common scale to output scale
    std::int32_t output_zero_point = 0;
    std::int32_t lowest = unclamped_lowest<Out>;   ///< a fused activation's lower bound, in stored units
    std::int32_t highest = unclamped_highest<Out>; ///< and its upper bound
    Out* output = nullptr;                         ///< `size` values; may be one of the inputs
};

/// The same over floats.
struct float_add_arguments {
    std::span<const float* const> inputs{}; ///< at least 1, each of `size` values
    std::size_t size = 0;
    float lowest = unclamped_lowest<float>;
    float highest = unclamped_highest<float>;
    float* output = nullptr; ///< `size` values; may be one of the inputs
};

/// The multipliers of one sum.
template <requantization_scheme Scheme>
struct add_factors {
    std::array<typename Scheme::factor, max_add_inputs> inputs{};
    typename Scheme::factor output{};
    int left_shift = 0;
};

/// The common scale is twice the largest input scale, divided by 2^left_shift, as TensorFlow Lite's ADD chooses it for
/// two inputs: input i is brought there by s_i / (2 max s), the sum leaves by 2 max s / (2^left_shift * output scale).
/// @param scales of the inputs, positive, at most max_add_inputs of them.
/// @param bits of the input format; up to 8 give TensorFlow Lite's left shift of 20.
template <requantization_scheme Scheme>
[[nodiscard]] constexpr add_factors<Scheme> prepare_add(std::span<const float> scales, float output_scale,
                                                        int bits) noexcept {
    const double common = 2.0 * static_cast<double>(*std::max_element(scales.begin(), scales.end()));
    add_factors<Scheme> factors;
    factors.left_shift = add_left_shift(bits);
    for (std::size_t i = 0; i < scales.size(); ++i)
        factors.inputs[i] = Scheme::prepare_align(static_cast<double>(scales[i]) / common, factors.left_shift);
    const auto steps = static_cast<double>(std::int64_t{1} << factors.left_shift);
    factors.output = Scheme::prepare(common / (steps * static_cast<double>(output_scale)));
    return factors;
}

/// y[i] = clamp(Scheme::apply(sum over inputs of Scheme::align(q[i] - zero point), factor) + output zero point).
/// With the scheme `gemmlowp` and two inputs this is ADD of TensorFlow Lite's reference kernels, bit for bit.
template <requantization_scheme Scheme, stored_integer In, stored_integer Out>
constexpr void add(const add_arguments<In, Out, Scheme>& sum) noexcept {
    for (std::size_t i = 0; i < sum.size; ++i) {
        std::int32_t aligned = 0;
        for (const add_input<In, Scheme>& input : sum.inputs)
            aligned += Scheme::align(input.data[i] - input.zero_point, input.factor, sum.left_shift);
        sum.output[i] = static_cast<Out>(
            statiq::requantize<Scheme>(aligned, sum.factor, sum.output_zero_point, sum.lowest, sum.highest));
    }
}

/// y[i] = clamp(x_0[i] + x_1[i] + ...), added in that order.
constexpr void add(const float_add_arguments& sum) noexcept {
    for (std::size_t i = 0; i < sum.size; ++i) {
        float total = sum.inputs.front()[i];
        for (const float* input : sum.inputs.subspan(1)) total += input[i];
        sum.output[i] = std::clamp(total, sum.lowest, sum.highest);
    }
}

} // namespace statiq::kernels::reference
