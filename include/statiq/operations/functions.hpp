// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/operations/elementwise.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

/// Activations that are functions. Each has its derivative, for training.
namespace statiq::functions {

/// 1 / (1 + e^-x)
struct sigmoid {
    static constexpr std::string_view word = "sigmoid";
    float operator()(float x) const { return 1.0F / (1.0F + std::exp(-x)); }
    float derivative(float x) const {
        const float y = (*this)(x);
        return y * (1.0F - y);
    }
};

struct tanh {
    static constexpr std::string_view word = "tanh";
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
template <detail::real Slope>
struct leaky_relu {
    static constexpr std::string_view word = "leaky_relu";
    static constexpr std::uint64_t fingerprint = std::bit_cast<std::uint32_t>(Slope.value);
    float operator()(float x) const { return x < 0.0F ? Slope.value * x : x; }
    float derivative(float x) const { return x < 0.0F ? Slope.value : 1.0F; }
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
