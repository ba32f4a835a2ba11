// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/fixed_point.hpp>
#include <statiq/numeric/math.hpp>
#include <statiq/numeric/rounding.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace statiq {

struct gemmlowp;
struct single_rounding;
struct float_multiplier;

/// Identifiers of schemes below this one are the library's.
inline constexpr int first_own_scheme = 16;

namespace detail {
template <class S>
inline constexpr bool is_library_scheme =
    std::is_same_v<S, gemmlowp> || std::is_same_v<S, single_rounding> || std::is_same_v<S, float_multiplier>;
}

/// How an int32 accumulator at scale s_x * s_w becomes an integer at scale s_y: multiplied by M = s_x * s_w / s_y
/// (P3 (5)), rounded. A scheme is a type. All that is used of it:
///   identifier                     a constant of its own, at least `first_own_scheme`: parameters are stored for one
///                                  scheme
///   factor                         what one multiplier is stored as, one per output channel: plain bytes that can be
///                                  default-constructed, copied and compared
///   prepare(M)                     the factor for a real multiplier M >= 0; from `largest_multiplier` on, one factor
///                                  for all
///   apply(acc, factor)             acc * M as an integer, before the zero point, saturated; defined for every acc and
///                                  every prepared factor
///   prepare_align(ratio, left)     for sums: the factor for ratio in [0, 1/2]
///   align(q - z, factor, left)     (q - z) * ratio * 2^left
///   prepare_mean(ratio, count)     the factor for ratio / count, count in [1, 2^32]: apply(sum of count values) is
///                                  ratio * their mean
/// The functions are constexpr where networks run in constant expressions. Vector kernels apply a scheme lane by lane
/// unless it has lanes of its own (kernels/bytes/lane_factors.hpp). If a factor takes more bytes there than
/// `factor` has, the scheme states them in a constant `lane_bytes`.
template <class S>
concept requantization_scheme = std::regular<typename S::factor> && std::is_trivially_copyable_v<typename S::factor> &&
    std::is_standard_layout_v<typename S::factor> &&
    requires(double real, std::int32_t q, typename S::factor f, int left, std::int64_t n) {
    typename std::integral_constant<int, S::identifier>;
    { S::prepare(real) } -> std::same_as<typename S::factor>;
    { S::apply(q, f) } -> std::same_as<std::int32_t>;
    { S::prepare_align(real, left) } -> std::same_as<typename S::factor>;
    { S::align(q, f, left) } -> std::same_as<std::int32_t>;
    { S::prepare_mean(real, n) } -> std::same_as<typename S::factor>;
    requires noexcept(S::apply(q, f))&& noexcept(S::align(q, f, left));
    requires(detail::is_library_scheme<S> || S::identifier >= first_own_scheme);
};

/// Bytes that one of a scheme's factors takes in vector kernels.
template <requantization_scheme S>
inline constexpr std::size_t lane_bytes_of = sizeof(typename S::factor);
template <requantization_scheme S>
requires requires { S::lane_bytes; }
inline constexpr std::size_t lane_bytes_of<S> = S::lane_bytes;

/// The largest multiplier. It takes every accumulator but 0 beyond all outputs of 16 bits, as every larger one would.
/// Larger ones are prepared as this one, so that all arithmetic is defined: fixed point shifts by at most 30, and a
/// float product stays finite.
inline constexpr double largest_multiplier = 0x1p30;

namespace detail {
[[nodiscard]] constexpr double at_most(double limit, double real) noexcept { return real < limit ? real : limit; }

/// The greatest fixed point number that the arithmetic takes is 2^30 - 1/2.
[[nodiscard]] constexpr fixed_point bounded_shift(fixed_point f) noexcept {
    return f.shift > 30 ? fixed_point{(std::numeric_limits<std::int32_t>::max)(), 30} : f;
}
[[nodiscard]] constexpr fixed_point bounded_multiplier(double real) noexcept {
    return bounded_shift(quantize_multiplier(at_most(largest_multiplier, real)));
}
} // namespace detail

/// Fixed point, rounded twice: equal bit for bit to TensorFlow Lite's reference kernels (and gemmlowp's output stage).
struct gemmlowp {
    using factor = fixed_point;
    static constexpr int identifier = 1;

    [[nodiscard]] static constexpr factor prepare(double real_multiplier) noexcept {
        return detail::bounded_multiplier(real_multiplier);
    }
    [[nodiscard]] static constexpr std::int32_t apply(std::int32_t acc, factor f) noexcept {
        return multiply_by_quantized_multiplier<rounding_steps::two>(acc, f);
    }
    [[nodiscard]] static constexpr factor prepare_align(double ratio, int) noexcept {
        return quantize_multiplier(ratio);
    }
    [[nodiscard]] static constexpr std::int32_t align(std::int32_t centred, factor f, int left_shift) noexcept {
        return apply(centred * (std::int32_t{1} << left_shift), f);
    }
    /// The multiplier is divided by the count in integers (truncating) after as many left shifts as keep its
    /// precision: not the multiplier nearest to ratio / count, but the one TensorFlow Lite uses.
    [[nodiscard]] static constexpr factor prepare_mean(double ratio, std::int64_t count) noexcept {
        const factor whole = quantize_multiplier(detail::at_most(largest_multiplier * 0x1p32, ratio));
        int left = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count))) - 1;
        left = left > 32 ? 32 : left;
        left = left > 31 + whole.shift ? 31 + whole.shift : left;
        return detail::bounded_shift(
            {static_cast<std::int32_t>((std::int64_t{whole.multiplier} << left) / count), whole.shift - left});
    }
};

/// Fixed point, rounded once, ties towards +infinity: acc * M to within half a unit and the error of M itself.
struct single_rounding {
    using factor = fixed_point;
    static constexpr int identifier = 2;

    [[nodiscard]] static constexpr factor prepare(double real_multiplier) noexcept {
        return detail::bounded_multiplier(real_multiplier);
    }
    [[nodiscard]] static constexpr std::int32_t apply(std::int32_t acc, factor f) noexcept {
        return multiply_by_quantized_multiplier<rounding_steps::one>(acc, f);
    }
    [[nodiscard]] static constexpr factor prepare_align(double ratio, int) noexcept {
        return quantize_multiplier(ratio);
    }
    [[nodiscard]] static constexpr std::int32_t align(std::int32_t centred, factor f, int left_shift) noexcept {
        return apply(centred * (std::int32_t{1} << left_shift), f);
    }
    [[nodiscard]] static constexpr factor prepare_mean(double ratio, std::int64_t count) noexcept {
        return prepare(ratio / static_cast<double>(count));
    }
};

/// A float product, rounded half to even, as vector units do it: the accumulator and M are rounded to 24 bits, the
/// product to 24 bits, and the result to an integer, saturated to int32 (vector units saturate to 2^31 - 128).
struct float_multiplier {
    using factor = float;
    static constexpr int identifier = 3;

    [[nodiscard]] static constexpr factor prepare(double real_multiplier) noexcept {
        return static_cast<float>(detail::at_most(largest_multiplier, real_multiplier));
    }
    [[nodiscard]] static constexpr std::int32_t apply(std::int32_t acc, factor f) noexcept {
        const float product = static_cast<float>(acc) * f;
        return math::saturate<std::int32_t>(half_even{}(static_cast<double>(product)));
    }
    /// An integer, round(ratio * 2^left_shift), which float holds exactly: aligning is an exact integer product.
    [[nodiscard]] static constexpr factor prepare_align(double ratio, int left_shift) noexcept {
        return static_cast<float>(half_even{}(ratio * math::power_of_two(left_shift)));
    }
    [[nodiscard]] static constexpr std::int32_t align(std::int32_t centred, factor f, int) noexcept {
        return centred * static_cast<std::int32_t>(f);
    }
    [[nodiscard]] static constexpr factor prepare_mean(double ratio, std::int64_t count) noexcept {
        return prepare(ratio / static_cast<double>(count));
    }
};

/// What is meant where a program names no scheme.
using default_scheme = float_multiplier;

/// The left shift a sum of `bits`-bit inputs is computed at. |q - z| < 2^bits, so an aligned input is below
/// 2^bits * 2^left / 2 <= 2^27, and a sum of up to 8 of them stays within 2^30: no int32 overflow. 20 at 8 bits is
/// TensorFlow Lite's.
[[nodiscard]] constexpr int add_left_shift(int bits) noexcept { return bits <= 8 ? 20 : 28 - bits; }

/// clamp(apply(acc, factor) + zero_point, lowest, highest), where the sum cannot overflow because the clamp comes
/// first.
template <requantization_scheme Scheme>
[[nodiscard]] constexpr std::int32_t requantize(std::int32_t acc, typename Scheme::factor factor,
                                                std::int32_t zero_point, std::int32_t lowest,
                                                std::int32_t highest) noexcept {
    const std::int32_t scaled = Scheme::apply(acc, factor);
    const std::int32_t low = lowest - zero_point;
    const std::int32_t high = highest - zero_point;
    return (scaled < low ? low : (scaled > high ? high : scaled)) + zero_point;
}

} // namespace statiq
