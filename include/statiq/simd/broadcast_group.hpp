// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>

#include <cstdint>
#include <cstring>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// Four bytes repeated over a register: byte i of the result is from[i % 4].
template <class Arch, class Byte>
[[nodiscard]] inline batch<Byte, Arch> broadcast_group(const Byte* from) noexcept {
    static_assert(sizeof(Byte) == 1);
    std::int32_t group = 0;
    std::memcpy(&group, from, sizeof(group));
    return bit_cast<Byte>(batch<std::int32_t, Arch>(group));
}

} // namespace statiq::simd

#endif
