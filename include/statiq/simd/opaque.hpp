// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace statiq::simd {

/// The value itself, in a general register, by a way compilers cannot see through: GCC 12 would compute the addresses
/// of a tile in vector registers and take them back one by one, which costs more than the tile saves.
template <class T>
[[nodiscard]] [[gnu::always_inline]] inline T opaque(T value) noexcept {
    asm("" : "+r"(value));
    return value;
}

} // namespace statiq::simd
