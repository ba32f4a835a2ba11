// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/numeric/rounding.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace statiq::kernels::reference {

/// Floats to integers. The shape does not matter: one scale and zero point serve all values.
template <stored_integer Out>
struct quantize_arguments {
    const float* input = nullptr;
    std::size_t size = 0;
    affine numbers{};       ///< the output's scale and zero point
    number_format format{}; ///< the output's; its lowest and highest integer bound the result
    Out* output = nullptr;
};

/// Integers to floats.
template <stored_integer In>
struct dequantize_arguments {
    const In* input = nullptr;
    std::size_t size = 0;
    affine numbers{}; ///< the input's scale and zero point
    float* output = nullptr;
};

/// Integers to integers of another scale, zero point or format.
template <stored_integer In, stored_integer Out, requantization_scheme Scheme>
struct requantize_arguments {
    const In* input = nullptr;
    std::size_t size = 0;
    std::int32_t input_zero_point = 0;
    typename Scheme::factor factor{}; ///< Scheme::prepare(input scale / output scale)
    std::int32_t output_zero_point = 0;
    std::int32_t lowest = unclamped_lowest<Out>;
    std::int32_t highest = unclamped_highest<Out>;
    Out* output = nullptr;
};

/// An activation on its own (relu: [zero point, highest]; relu6: up to 6 quantized): the output keeps the input's
/// scale and zero point, so in stored units it is nothing but a clamp.
template <stored T>
struct clamp_arguments {
    const T* input = nullptr;
    std::size_t size = 0;
    bound<T> lowest = unclamped_lowest<T>;
    bound<T> highest = unclamped_highest<T>;
    T* output = nullptr; ///< may be the input
};

/// q[i] = clamp(rule(x[i] / scale) + zero point): statiq::quantize on every value, in order.
/// @tparam Rule any rounding rule; pass an object when it has state.
template <class Rule = half_away, stored_integer Out>
requires rounding_rule<Rule>
constexpr void quantize(const quantize_arguments<Out>& of, Rule&& rule = Rule{}) noexcept {
    for (std::size_t i = 0; i < of.size; ++i)
        of.output[i] = static_cast<Out>(statiq::quantize(of.input[i], of.numbers, of.format, rule));
}

/// x[i] = scale * (q[i] - zero point): statiq::dequantize on every value.
template <stored_integer In>
constexpr void dequantize(const dequantize_arguments<In>& of) noexcept {
    for (std::size_t i = 0; i < of.size; ++i) of.output[i] = statiq::dequantize(of.input[i], of.numbers);
}

/// y[i] = clamp(Scheme::apply(q[i] - zero point, factor) + output zero point). Equal scales give the factor of 1, which
/// every scheme applies exactly. With `gemmlowp`: QUANTIZE between integers of TensorFlow Lite's reference kernels.
template <requantization_scheme Scheme, stored_integer In, stored_integer Out>
constexpr void requantize(const requantize_arguments<In, Out, Scheme>& of) noexcept {
    for (std::size_t i = 0; i < of.size; ++i)
        of.output[i] = static_cast<Out>(statiq::requantize<Scheme>(of.input[i] - of.input_zero_point, of.factor,
                                                                   of.output_zero_point, of.lowest, of.highest));
}

/// y[i] = clamp(x[i], lowest, highest).
template <stored T>
constexpr void clamp(const clamp_arguments<T>& of) noexcept {
    for (std::size_t i = 0; i < of.size; ++i)
        of.output[i] = static_cast<T>(std::clamp<bound<T>>(of.input[i], of.lowest, of.highest));
}

} // namespace statiq::kernels::reference
