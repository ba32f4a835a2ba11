// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace statiq::kernels {

/// A type of packed weights: signed integers of 2 or 4 bits, several to a byte of memory. Value i of a layout lies in
/// byte i / per_byte, from bit Bits * (i % per_byte) up, as value - lowest. Memory is of int8_t, as for whole bytes, so
/// that constant expressions can read it.
template <int Bits>
struct sub_byte {
    static_assert(Bits == 2 || Bits == 4);
    static constexpr int bits = Bits;
    static constexpr std::size_t per_byte = 8 / Bits;
    static constexpr int lowest = -(1 << (Bits - 1));
};

namespace detail {
template <class Weight>
struct stored_weight {
    using type = Weight;
    static constexpr std::size_t per_element = 1;
};
template <int Bits>
struct stored_weight<sub_byte<Bits>> {
    using type = std::int8_t;
    static constexpr std::size_t per_element = sub_byte<Bits>::per_byte;
};
} // namespace detail

/// Whether several weights share a byte.
template <class Weight>
inline constexpr bool is_sub_byte = detail::stored_weight<Weight>::per_element > 1;

/// What packed weights of a type lie in memory as.
template <class Weight>
using stored_weight = typename detail::stored_weight<Weight>::type;

/// Number of elements of memory that hold `count` values.
template <class Weight>
[[nodiscard]] constexpr std::size_t stored_weight_count(std::size_t values) noexcept {
    constexpr std::size_t per_element = detail::stored_weight<Weight>::per_element;
    return (values + per_element - 1) / per_element;
}

/// Value `index` of packed weights.
template <class Weight>
[[nodiscard]] constexpr auto weight_at(const stored_weight<Weight>* from, std::size_t index) noexcept {
    if constexpr (is_sub_byte<Weight>) {
        const auto byte = static_cast<std::uint8_t>(from[index / Weight::per_byte]);
        const int code =
            (byte >> (Weight::bits * static_cast<int>(index % Weight::per_byte))) & ((1 << Weight::bits) - 1);
        return static_cast<std::int8_t>(code + Weight::lowest);
    } else {
        return from[index];
    }
}

/// Writes value `index`, and no other.
/// @param value of the type's range: for sub_byte<4> -8 to 7.
template <class Weight, class Value>
constexpr void set_weight(stored_weight<Weight>* to, std::size_t index, Value value) noexcept {
    if constexpr (is_sub_byte<Weight>) {
        const int shift = Weight::bits * static_cast<int>(index % Weight::per_byte);
        std::int8_t& element = to[index / Weight::per_byte];
        const int others = static_cast<std::uint8_t>(element) & ~(((1 << Weight::bits) - 1) << shift);
        element = static_cast<std::int8_t>(others | (static_cast<int>(value) - Weight::lowest) << shift);
    } else {
        to[index] = static_cast<Weight>(value);
    }
}

/// Makes all of the values zero.
template <class Weight>
constexpr void clear_weights(stored_weight<Weight>* to, std::size_t values) noexcept {
    stored_weight<Weight> zero{};
    for (std::size_t i = 0; i < detail::stored_weight<Weight>::per_element; ++i) set_weight<Weight>(&zero, i, 0);
    for (std::size_t i = 0; i < stored_weight_count<Weight>(values); ++i) to[i] = zero;
}

} // namespace statiq::kernels
