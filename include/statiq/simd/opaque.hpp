// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

namespace statiq::simd {

/// The value itself, in a general register, by a way compilers cannot see through: GCC 12 would compute the addresses
/// of a tile in vector registers and take them back one by one, which costs more than the tile saves.
template <class T>
[[nodiscard]] [[gnu::always_inline]] inline T opaque(T value) noexcept {
    asm("" : "+r"(value));
    return value;
}

/// The value itself, by way of memory: a vector made of it is made anew wherever this is called, and no register holds
/// it in between.
template <class T>
[[nodiscard]] [[gnu::always_inline]] inline T reloaded(T value) noexcept {
    asm volatile("" : "+m"(value));
    return value;
}

} // namespace statiq::simd
