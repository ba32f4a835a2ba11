// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/math.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace statiq {

/// Where a number lies between its floor and the next integer.
enum class position : std::uint8_t { exact, below_half, half, above_half };

/// A deterministic rounding rule is one decision: given floor(x) and where x lies above it, go up to floor(x) + 1?
/// Rounding a double, a shift and a division all follow from it.
template <class Rule>
concept deterministic_rounding = requires(std::int64_t floor, position where) {
    { Rule::up(floor, where) } -> std::same_as<bool>;
};

/// Anything that rounds a double to an integer; `stochastic` has state, so the rule may be changed by the call.
template <class Rule>
concept rounding_rule = requires(std::remove_reference_t<Rule>& rule, double x) {
    { rule(x) } -> std::same_as<std::int64_t>;
};

namespace detail {
template <class Rule>
[[nodiscard]] constexpr std::int64_t round_by(double x) noexcept {
    const auto [whole, fraction] = math::split(x);
    if (fraction == 0) return whole;
    // A negative fraction f stands for 1 + f above the floor. Comparing f with -1/2 instead of 1 + f with 1/2 keeps
    // the comparison exact: 1 + f may round to a tie that is none.
    const std::int64_t floor = fraction < 0 ? whole - 1 : whole;
    const double half = fraction < 0 ? -0.5 : 0.5;
    const position where =
        fraction == half ? position::half : (fraction < half ? position::below_half : position::above_half);
    return floor + (Rule::up(floor, where) ? 1 : 0);
}
} // namespace detail

// The four rules below take any double: NaN gives 0, values beyond int64 saturate.

/// Nearest; ties away from zero: sgn(x) floor(|x| + 1/2) (P1 (3); TensorFlow Lite's quantizer; C's round).
struct half_away {
    static constexpr bool up(std::int64_t floor, position where) noexcept {
        return where == position::above_half || (where == position::half && floor >= 0);
    }
    [[nodiscard]] constexpr std::int64_t operator()(double x) const noexcept { return detail::round_by<half_away>(x); }
};

/// Nearest; ties to the even integer (IEEE 754's default; ONNX, PyTorch, XNNPACK's float requantization).
struct half_even {
    static constexpr bool up(std::int64_t floor, position where) noexcept {
        return where == position::above_half || (where == position::half && (floor & 1) != 0);
    }
    [[nodiscard]] constexpr std::int64_t operator()(double x) const noexcept { return detail::round_by<half_even>(x); }
};

/// Nearest; ties towards +infinity: floor(x + 1/2) (TensorFlow's fake quantization; an add and an arithmetic shift).
struct half_up {
    static constexpr bool up(std::int64_t, position where) noexcept {
        return where == position::above_half || where == position::half;
    }
    [[nodiscard]] constexpr std::int64_t operator()(double x) const noexcept { return detail::round_by<half_up>(x); }
};

/// Drops the fraction (C's integer division and conversions).
struct toward_zero {
    static constexpr bool up(std::int64_t floor, position where) noexcept {
        return where != position::exact && floor < 0;
    }
    [[nodiscard]] constexpr std::int64_t operator()(double x) const noexcept {
        return detail::round_by<toward_zero>(x);
    }
};

/// floor(x) or floor(x) + 1, the latter with probability x - floor(x), so the expectation is x (P2 2.2, with the
/// noise in units of one step). Integers stay. The draws are the splitmix64 sequence of the seed: the same seed gives
/// the same roundings everywhere.
class stochastic {
  public:
    explicit constexpr stochastic(std::uint64_t seed) noexcept : state_(seed) {}

    [[nodiscard]] constexpr std::int64_t operator()(double x) noexcept {
        const auto [whole, fraction] = math::split(x);
        const double draw = uniform();
        if (fraction < 0) return draw < -fraction ? whole - 1 : whole;
        return draw < fraction ? whole + 1 : whole;
    }

  private:
    /// Uniform on the multiples of 2^-53 in [0, 1).
    constexpr double uniform() noexcept {
        state_ += 0x9e3779b97f4a7c15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        return static_cast<double>(z >> 11) * 0x1p-53;
    }

    std::uint64_t state_;
};

/// x / divisor rounded by Rule, exactly. divisor > 0.
template <deterministic_rounding Rule>
[[nodiscard]] constexpr std::int64_t divide(std::int64_t x, std::int64_t divisor) noexcept {
    std::int64_t floor = x / divisor;
    std::int64_t remainder = x % divisor;
    if (remainder < 0) {
        --floor;
        remainder += divisor;
    }
    const std::int64_t rest = divisor - remainder;
    const position where = remainder == 0      ? position::exact
                           : remainder < rest  ? position::below_half
                           : remainder == rest ? position::half
                                               : position::above_half;
    return floor + (Rule::up(floor, where) ? 1 : 0);
}

/// x / 2^n rounded by Rule, exactly. 0 <= n <= 62.
template <deterministic_rounding Rule>
[[nodiscard]] constexpr std::int64_t shift_right(std::int64_t x, int n) noexcept {
    const std::int64_t floor = x >> n;
    const std::int64_t one = std::int64_t{1} << n;
    const std::int64_t remainder = x & (one - 1);
    const std::int64_t half = one >> 1;
    const position where = remainder == 0      ? position::exact
                           : remainder < half  ? position::below_half
                           : remainder == half ? position::half
                                               : position::above_half;
    return floor + (Rule::up(floor, where) ? 1 : 0);
}

} // namespace statiq
