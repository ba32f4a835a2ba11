// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace statiq::kernels::reference {

/// Values that a byte can have: entries of a table of 8-bit inputs.
inline constexpr std::size_t byte_count = 256;

/// A function of bytes as a table reads and writes.
template <stored_integer In, stored_integer Out>
requires(sizeof(In) == 1) struct look_up_arguments {
    const In* input = nullptr;
    std::size_t size = 0;
    const unsigned char* table = nullptr; ///< the bytes of `byte_count` values of Out, at any address
    Out* output = nullptr;                ///< may be the input
};

/// y = table[x as an unsigned byte].
template <stored_integer In, stored_integer Out>
void look_up(const look_up_arguments<In, Out>& of) noexcept {
    for (std::size_t i = 0; i < of.size; ++i)
        std::memcpy(of.output + i, of.table + sizeof(Out) * static_cast<std::uint8_t>(of.input[i]), sizeof(Out));
}

} // namespace statiq::kernels::reference
