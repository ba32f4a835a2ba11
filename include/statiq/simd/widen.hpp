// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>
#include <statiq/simd/interleave.hpp>

#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// A register of bytes as four registers of integers in block order: lane l of register j is x[block_order(j, l)].
template <class Arch>
[[nodiscard]] inline quad<std::int32_t, Arch> widen(xsimd::batch<std::uint8_t, register_arch<Arch>> x) noexcept {
    const batch<std::uint8_t, Arch> zero(std::uint8_t{0});
    const auto wide = interleave<Arch>(x, zero, zero, zero);
    return {bit_cast<std::int32_t>(wide[0]), bit_cast<std::int32_t>(wide[1]), bit_cast<std::int32_t>(wide[2]),
            bit_cast<std::int32_t>(wide[3])};
}

} // namespace statiq::simd

#endif
