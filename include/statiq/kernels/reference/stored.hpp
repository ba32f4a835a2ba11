// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace statiq::kernels::reference {

/// A type that stores one quantized value of 2 to 16 bits.
template <class T>
concept stored_integer = std::same_as<T, std::int8_t> || std::same_as<T, std::uint8_t> ||
    std::same_as<T, std::int16_t> || std::same_as<T, std::uint16_t>;

/// A type that stores one value of a tensor.
template <class T>
concept stored = stored_integer<T> || std::same_as<T, float>;

/// The type of a clamp's bounds: the integers a format allows may be fewer than its storage holds.
template <stored T>
using bound = std::conditional_t<stored_integer<T>, std::int32_t, float>;

/// Bounds that clamp nothing: the storage's own range, or the infinities.
template <stored T>
inline constexpr bound<T> unclamped_lowest = stored_integer<T>
                                                 ? static_cast<bound<T>>(std::numeric_limits<T>::lowest())
                                                 : static_cast<bound<T>>(-std::numeric_limits<float>::infinity());
template <stored T>
inline constexpr bound<T> unclamped_highest = stored_integer<T>
                                                  ? static_cast<bound<T>>((std::numeric_limits<T>::max)())
                                                  : static_cast<bound<T>>(std::numeric_limits<float>::infinity());

/// The type that sums stored values: int32 for integers, double for floats (rounded to float once, at the end).
template <stored T>
using sum_of = std::conditional_t<stored_integer<T>, std::int32_t, double>;

/// Channels summed together, so that the inner loop runs over neighbours in memory and the sums stay on the stack.
inline constexpr int channel_block = 32;

} // namespace statiq::kernels::reference
