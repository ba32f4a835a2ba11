// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace statiq {

/// Which integers of a width are used, and whether the zero point may move.

/// Integers [0, 2^b - 1] with a zero point: the affine quantizer of the literature (P1 (1)-(2), P2 (1)-(3), P3 (1)).
struct asymmetric {
    static constexpr bool has_zero_point = true;
    static constexpr std::int32_t lowest(int) { return 0; }
    static constexpr std::int32_t highest(int bits) { return (std::int32_t{1} << bits) - 1; }
};

/// Integers [-2^(b-1), 2^(b-1) - 1] with a zero point: the same quantizer, stored signed as TensorFlow Lite does.
struct asymmetric_signed {
    static constexpr bool has_zero_point = true;
    static constexpr std::int32_t lowest(int bits) { return -(std::int32_t{1} << (bits - 1)); }
    static constexpr std::int32_t highest(int bits) { return (std::int32_t{1} << (bits - 1)) - 1; }
};

/// Integers [-(2^(b-1) - 1), 2^(b-1) - 1], zero point 0. Leaving the lowest integer out keeps every product of a
/// weight and an activation inside a spare bit (P2 (10), P3 appendix B).
struct symmetric {
    static constexpr bool has_zero_point = false;
    static constexpr std::int32_t lowest(int bits) { return -((std::int32_t{1} << (bits - 1)) - 1); }
    static constexpr std::int32_t highest(int bits) { return (std::int32_t{1} << (bits - 1)) - 1; }
};

/// Integers [-2^(b-1), 2^(b-1) - 1], zero point 0 (P2 (8)).
struct symmetric_full_range {
    static constexpr bool has_zero_point = false;
    static constexpr std::int32_t lowest(int bits) { return -(std::int32_t{1} << (bits - 1)); }
    static constexpr std::int32_t highest(int bits) { return (std::int32_t{1} << (bits - 1)) - 1; }
};

/// Integers [0, 2^b - 1], zero point 0: for values that are never negative (P2 (9)).
struct symmetric_unsigned {
    static constexpr bool has_zero_point = false;
    static constexpr std::int32_t lowest(int) { return 0; }
    static constexpr std::int32_t highest(int bits) { return (std::int32_t{1} << bits) - 1; }
};

/// How many values share one scale (and one zero point).
enum class granularity : std::uint8_t { tensor, channel, group };

/// One scale for the whole tensor.
struct per_tensor {
    static constexpr granularity kind = granularity::tensor;
    static constexpr int group = 0;
};
/// One scale for each output channel (for depthwise weights: each channel).
struct per_channel {
    static constexpr granularity kind = granularity::channel;
    static constexpr int group = 0;
};
/// One scale for each run of Size consecutive inputs of each output channel: for narrow weights.
template <int Size>
struct per_group {
    static_assert(Size >= 1, "statiq: a quantization group holds at least one value");
    static constexpr granularity kind = granularity::group;
    static constexpr int group = Size;
};

/// A number type as a value: what the passes and kernels read.
struct number_format {
    bool floating = true;
    int bits = 32;
    std::int32_t lowest = 0;  ///< lowest stored integer
    std::int32_t highest = 0; ///< highest stored integer
    bool has_zero_point = false;
    granularity per = granularity::tensor;
    int group = 0;

    /// Bytes of one unpacked value.
    [[nodiscard]] constexpr int bytes() const noexcept { return floating ? 4 : (bits <= 8 ? 1 : 2); }
    [[nodiscard]] constexpr bool is_signed() const noexcept { return lowest < 0; }
    friend constexpr bool operator==(const number_format&, const number_format&) = default;
};

namespace detail {
template <bool Signed, bool Wide>
using integer_storage = std::conditional_t<Signed, std::conditional_t<Wide, std::int16_t, std::int8_t>,
                                           std::conditional_t<Wide, std::uint16_t, std::uint8_t>>;
}

/// A quantized number: real = scale * (q - zero_point), q an integer of `Bits` bits.
/// @tparam Bits 2 to 16.
/// @tparam Symmetry which integers are used: `symmetric` (restricted, for weights), `asymmetric` (for activations),
///         or one of the variants above; any type with `has_zero_point`, `lowest(bits)` and `highest(bits)` serves.
/// @tparam Granularity `per_tensor`, `per_channel` or `per_group<Size>`.
template <int Bits, class Symmetry = symmetric, class Granularity = per_tensor>
struct quantized {
    static_assert(Bits >= 2 && Bits <= 16, "statiq: quantized<Bits> supports 2 to 16 bits");
    static constexpr number_format format{.floating = false,
                                          .bits = Bits,
                                          .lowest = Symmetry::lowest(Bits),
                                          .highest = Symmetry::highest(Bits),
                                          .has_zero_point = Symmetry::has_zero_point,
                                          .per = Granularity::kind,
                                          .group = Granularity::group};
    using storage = detail::integer_storage<(Symmetry::lowest(Bits) < 0), (Bits > 8)>;
};

/// IEEE binary32: a number type like any other; a graph whose layers say float32 is the float network.
struct float32 {
    static constexpr number_format format{};
    using storage = float;
};

/// Satisfied by `float32` and every `quantized<...>`.
template <class T>
concept number_type = requires {
    { T::format } -> std::convertible_to<number_format>;
    typename T::storage;
};

/// The C++ type that stores one unpacked value of a format, given what distinguishes the types.
template <bool Floating, bool Signed, bool Wide>
using stored_as = std::conditional_t<Floating, float, detail::integer_storage<Signed, Wide>>;

} // namespace statiq
