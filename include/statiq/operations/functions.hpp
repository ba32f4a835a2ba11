// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/fixed_functions.hpp>
#include <statiq/kernels/reference/fixed_functions_of_shorts.hpp>
#include <statiq/operations/elementwise.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

/// Activations that are functions. Each has its derivative, for training, and TensorFlow Lite's rules where that
/// has them.
namespace statiq::functions {

namespace detail {
inline bool between_bytes(const function_numbers& numbers) {
    return numbers.input_format.bytes() == 1 && numbers.output_format.bytes() == 1;
}
} // namespace detail

/// 1 / (1 + e^-x)
struct sigmoid {
    static constexpr std::string_view word = "sigmoid";
    /// [0, 1), or [-1, 1) where 16 bits or the lack of a zero point make it symmetric.
    static constexpr affine fixed_output(const number_format& format) {
        const bool halved = format.is_signed() && (format.bits == 16 || !format.has_zero_point);
        return {1.0F / static_cast<float>(1 << (halved ? format.bits - 1 : format.bits)), halved ? 0 : format.lowest};
    }
    /// Of 8 bits with the fixed numbers; of unsigned ones, too.
    static std::optional<std::int32_t> tensorflow_lite(std::int32_t centred, const function_numbers& numbers) {
        if (!detail::between_bytes(numbers) || numbers.output_format.bits != 8 ||
            !numbers.output_format.has_zero_point || numbers.output != fixed_output(numbers.output_format))
            return {};
        return kernels::reference::logistic_of_byte(centred, numbers.input.scale);
    }
    struct of_shorts : kernels::reference::logistic_of_shorts {
        of_shorts() = default;
        explicit of_shorts(const function_numbers& numbers)
            : kernels::reference::logistic_of_shorts(numbers.input.scale) {}
    };
    float operator()(float x) const { return 1.0F / (1.0F + std::exp(-x)); }
    float derivative(float x) const {
        const float y = (*this)(x);
        return y * (1.0F - y);
    }
};

struct tanh {
    static constexpr std::string_view word = "tanh";
    /// [-1, 1)
    static constexpr affine fixed_output(const number_format& format) {
        const std::int32_t one = 1 << (format.bits - 1);
        return {1.0F / static_cast<float>(one), format.is_signed() || !format.has_zero_point ? 0 : one};
    }
    /// Of 8 bits with the fixed numbers.
    static std::optional<std::int32_t> tensorflow_lite(std::int32_t centred, const function_numbers& numbers) {
        if (!detail::between_bytes(numbers) || numbers.output_format.bits != 8 ||
            numbers.output != fixed_output(numbers.output_format))
            return {};
        return kernels::reference::tanh_of_byte(centred, numbers.input.scale);
    }
    struct of_shorts : kernels::reference::tanh_of_shorts {
        of_shorts() = default;
        explicit of_shorts(const function_numbers& numbers) : kernels::reference::tanh_of_shorts(numbers.input.scale) {}
    };
    float operator()(float x) const { return std::tanh(x); }
    float derivative(float x) const {
        const float y = (*this)(x);
        return 1.0F - y * y;
    }
};

/// clamp(x / 6 + 1 / 2, 0, 1)
struct hard_sigmoid {
    static constexpr std::string_view word = "hard_sigmoid";
    float operator()(float x) const {
        const float y = x / 6.0F + 0.5F;
        return y < 0.0F ? 0.0F : y > 1.0F ? 1.0F : y;
    }
    float derivative(float x) const { return x > -3.0F && x < 3.0F ? 1.0F / 6.0F : 0.0F; }
};

/// x hard_sigmoid(x)
struct hard_swish {
    static constexpr std::string_view word = "hard_swish";
    float operator()(float x) const { return x * hard_sigmoid{}(x); }
    float derivative(float x) const {
        if (x <= -3.0F) return 0.0F;
        return x < 3.0F ? x / 3.0F + 0.5F : 1.0F;
    }
    /// On 16 bits, where a step of the output is more than 1/128 of an input's.
    static std::optional<std::int32_t> tensorflow_lite(std::int32_t centred, const function_numbers& numbers) {
        const float scale = numbers.input.scale, output_scale = numbers.output.scale;
        if (!detail::between_bytes(numbers) || !kernels::reference::fits_hard_swish(scale, output_scale)) return {};
        return kernels::reference::hard_swish(centred, scale, output_scale);
    }
};

/// x sigmoid(x), also called swish
struct silu {
    static constexpr std::string_view word = "silu";
    float operator()(float x) const { return x * sigmoid{}(x); }
    float derivative(float x) const {
        const float s = sigmoid{}(x);
        return s + x * s * (1.0F - s);
    }
};

/// x P(X <= x) for a standard normal X: the exact form, by erf
struct gelu {
    static constexpr std::string_view word = "gelu";
    static constexpr float root_half = 0.70710678118654752440F;
    float operator()(float x) const { return 0.5F * x * (1.0F + std::erf(x * root_half)); }
    float derivative(float x) const {
        constexpr float inverse_root_two_pi = 0.39894228040143267794F;
        return 0.5F * (1.0F + std::erf(x * root_half)) + x * inverse_root_two_pi * std::exp(-0.5F * x * x);
    }
};

/// x for x >= 0, e^x - 1 below
struct elu {
    static constexpr std::string_view word = "elu";
    float operator()(float x) const { return x < 0.0F ? std::exp(x) - 1.0F : x; }
    float derivative(float x) const { return x < 0.0F ? std::exp(x) : 1.0F; }
};

/// x for x >= 0, Slope x below
template <statiq::detail::real Slope>
struct leaky_relu {
    static constexpr std::string_view word = "leaky_relu";
    static constexpr std::uint64_t fingerprint = std::bit_cast<std::uint32_t>(Slope.value);
    float operator()(float x) const { return x < 0.0F ? Slope.value * x : x; }
    float derivative(float x) const { return x < 0.0F ? Slope.value : 1.0F; }
    struct of_shorts : kernels::reference::leaky_relu {
        of_shorts() = default;
        explicit of_shorts(const function_numbers& numbers)
            : kernels::reference::leaky_relu(numbers.input.scale, numbers.output.scale, Slope.value) {}
    };
    static std::optional<std::int32_t> tensorflow_lite(std::int32_t centred, const function_numbers& numbers) {
        if (!detail::between_bytes(numbers)) return {};
        return of_shorts(numbers)(centred);
    }
};

/// log(1 + e^x), without overflow
struct softplus {
    static constexpr std::string_view word = "softplus";
    float operator()(float x) const { return (x > 0.0F ? x : 0.0F) + std::log1p(std::exp(-std::abs(x))); }
    float derivative(float x) const { return sigmoid{}(x); }
};

/// x tanh(softplus(x))
struct mish {
    static constexpr std::string_view word = "mish";
    float operator()(float x) const { return x * std::tanh(softplus{}(x)); }
    float derivative(float x) const {
        const float t = std::tanh(softplus{}(x));
        return t + x * sigmoid{}(x) * (1.0F - t * t);
    }
};

} // namespace statiq::functions

namespace statiq {

inline constexpr auto sigmoid = elementwise<functions::sigmoid>;
inline constexpr auto tanh = elementwise<functions::tanh>;
inline constexpr auto hard_sigmoid = elementwise<functions::hard_sigmoid>;
inline constexpr auto hard_swish = elementwise<functions::hard_swish>;
inline constexpr auto silu = elementwise<functions::silu>;
inline constexpr auto gelu = elementwise<functions::gelu>;
inline constexpr auto elu = elementwise<functions::elu>;
template <detail::real Slope>
inline constexpr auto leaky_relu = elementwise<functions::leaky_relu<Slope>>;
inline constexpr auto softplus = elementwise<functions::softplus>;
inline constexpr auto mish = elementwise<functions::mish>;

} // namespace statiq
