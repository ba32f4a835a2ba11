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

template <class T>
concept symmetry = requires(int bits) {
    { T::has_zero_point } -> std::convertible_to<bool>;
    { T::lowest(bits) } -> std::convertible_to<std::int32_t>;
    { T::highest(bits) } -> std::convertible_to<std::int32_t>;
};
template <class T>
concept sharing = requires {
    { T::kind } -> std::convertible_to<granularity>;
    { T::group } -> std::convertible_to<int>;
};

/// (A constant, because compilers explain a concept that fails at length.)
template <class Symmetry, class Granularity>
inline constexpr bool in_order = symmetry<Symmetry>&& sharing<Granularity>;

/// Whether a format is one that is computed in: float32, or integers that their bits can store, with the real 0 among
/// them.
constexpr bool is_sound(const number_format& format) {
    if (format.floating) return format.bits == 32;
    if (format.bits < 2 || format.bits > 16 || format.lowest >= format.highest) return false;
    const std::int32_t size = std::int32_t{1} << format.bits;
    const bool fits =
        format.lowest < 0 ? format.lowest >= -size / 2 && format.highest < size / 2 : format.highest < size;
    return fits && (format.has_zero_point || (format.lowest <= 0 && format.highest >= 0));
}

/// The format that `quantized` stands for; one of 8 bits where its arguments are none.
template <int Bits, class Symmetry, class Granularity>
constexpr number_format format_of() {
    if constexpr (Bits < 2 || Bits > 16 || !in_order<Symmetry, Granularity>)
        return {.floating = false, .bits = 8, .lowest = -127, .highest = 127};
    else
        return {.floating = false,
                .bits = Bits,
                .lowest = Symmetry::lowest(Bits),
                .highest = Symmetry::highest(Bits),
                .has_zero_point = Symmetry::has_zero_point,
                .per = Granularity::kind,
                .group = Granularity::group};
}

template <bool Signed, bool Wide>
using integer_storage = std::conditional_t<Signed, std::conditional_t<Wide, std::int16_t, std::int8_t>,
                                           std::conditional_t<Wide, std::uint16_t, std::uint8_t>>;
} // namespace detail

/// A quantized number: real = scale * (q - zero_point), q an integer of `Bits` bits.
/// @tparam Bits 2 to 16.
/// @tparam Symmetry which integers are used: `symmetric` (restricted, for weights), `asymmetric` (for activations),
///         or one of the variants above; any type with `has_zero_point`, `lowest(bits)` and `highest(bits)` serves.
/// @tparam Granularity `per_tensor`, `per_channel` or `per_group<Size>`.
template <int Bits, class Symmetry = symmetric, class Granularity = per_tensor>
struct quantized {
    static constexpr number_format format = detail::format_of<Bits, Symmetry, Granularity>();
    using storage = detail::integer_storage<(format.lowest < 0), (format.bits > 8)>;

    static_assert(Bits >= 2 && Bits <= 16, "statiq: quantized<Bits> supports 2 to 16 bits");
    static_assert(detail::in_order<Symmetry, Granularity>,
                  "statiq: symmetry comes before granularity: quantized<8, symmetric, per_channel>");
    static_assert(format.per != granularity::group || format.group >= 1,
                  "statiq: a quantization group holds at least one value");
    static_assert(detail::is_sound(format), "statiq: a symmetry's integers are some that the bits can store: lowest < "
                                            "highest, and 0 lies between them where there is no zero point");
};

/// IEEE binary32: a number type like any other; a graph whose layers say float32 is the float network.
struct float32 {
    static constexpr number_format format{};
    using storage = float;
};

/// The C++ type that stores one unpacked value of a format, given what distinguishes the types.
template <bool Floating, bool Signed, bool Wide>
using stored_as = std::conditional_t<Floating, float, detail::integer_storage<Signed, Wide>>;

/// Satisfied by `float32`, every `quantized<...>`, and types of the same form.
template <class T>
concept number_type = requires {
    { T::format } -> std::convertible_to<number_format>;
    typename T::storage;
};

namespace detail {
/// Refuses a type of that form which says what is not so. (No part of the concept: it would be explained at length.)
template <number_type T>
struct check_number_type {
    static constexpr number_format format = T::format;
    static constexpr bool passed = true;
    static_assert(is_sound(format), "statiq: a number type is float32, or integers of 2 to 16 bits that these can "
                                    "store, 0 among them where there is no zero point");
    static_assert(
        std::is_same_v<typename T::storage, stored_as<format.floating, format.is_signed(), (format.bits > 8)>>,
        "statiq: a number type is stored as float, or as the 8- or 16-bit integer of its sign and bits");
};
} // namespace detail

} // namespace statiq
