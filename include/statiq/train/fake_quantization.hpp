// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/rounding.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace statiq {

/// How gradients pass a rounding, whose own derivative is zero almost everywhere: straight through, as if it were not
/// there. What estimators differ in is saturation. Weights never saturate: their range is what they span.

/// dx = dy where x lies between the lowest and the highest integer, both included; nothing elsewhere (P2 (14)(15)).
struct masked_estimator {
    static constexpr bool passes_saturated = false;
};
/// dx = dy everywhere (P6).
struct identity_estimator {
    static constexpr bool passes_saturated = true;
};

template <class T>
concept straight_through_estimator = requires {
    { T::passes_saturated } -> std::convertible_to<bool>;
};

/// How reals become integers in training.
enum class training_rounding : std::uint8_t {
    deployed,  ///< as the integer network rounds
    half_even, ///< to the nearest, ties to even
    half_up,   ///< to the nearest, ties up
    stochastic ///< up with the probability that keeps the mean (P2 2.2)
};

namespace detail {

/// Calls f with the rounding rule; draws begin at `seed`.
template <class F>
void with_rounding_rule(training_rounding kind, std::uint64_t seed, F&& f) {
    switch (kind) {
    case training_rounding::deployed:
        return f(half_away{});
    case training_rounding::half_even:
        return f(half_even{});
    case training_rounding::half_up:
        return f(half_up{});
    case training_rounding::stochastic:
        return f(stochastic(seed));
    }
}

/// One sequence of draws for each tensor of each sample of each step: the same whatever thread draws.
constexpr std::uint64_t draws_of(std::uint64_t seed, std::uint64_t step, std::uint64_t tensor, std::uint64_t sample) {
    std::uint64_t mixed = seed;
    for (const std::uint64_t part : {step, tensor, sample}) {
        mixed = (mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9u + part;
        mixed = (mixed ^ (mixed >> 32)) * 0x94d049bb133111ebu;
    }
    return mixed;
}

/// What a rounded tensor lets through on the way back.
struct passing {
    float lowest;  ///< of the activation: what it clamps, or leaves at an end, does not pass
    float highest; ///< of the activation
    range ends;    ///< of the integers: what lies at an end passes
};

/// Notes for each value of a tensor, before it is rounded, whether its gradient passes.
inline void note_passing(const float* values, std::size_t count, const passing& what, std::uint8_t* passes) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        const float x = values[i];
        const bool active = x > what.lowest && x < what.highest;
        passes[i] = active && x >= what.ends.min && x <= what.ends.max ? 1 : 0;
    }
}

inline void mask_gradient(const std::uint8_t* passes, std::size_t count, float* gradient) noexcept {
    for (std::size_t i = 0; i < count; ++i) gradient[i] = passes[i] != 0 ? gradient[i] : 0.0F;
}

} // namespace detail

} // namespace statiq
