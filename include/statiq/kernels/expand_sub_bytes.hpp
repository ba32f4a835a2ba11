// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/sub_byte.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>
#include <statiq/simd/load_sub_bytes.hpp>

#include <cstddef>
#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// to[i] = weight i of `sub_byte<Bits>`.
/// @param count of values, a multiple of 64 as panels of the blocked layout have them. @param to aligned to a register.
template <class Arch, int Bits>
[[gnu::flatten]] inline void expand_sub_bytes(const std::int8_t* from, std::int8_t* to, std::size_t count) noexcept {
    using weights = simd::batch<std::int8_t, Arch>;
    const weights code_of_zero(static_cast<std::int8_t>(-sub_byte<Bits>::lowest));
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(from);
    for (std::size_t i = 0; i < count; i += weights::size) {
        const auto codes = simd::load_sub_bytes<Bits, Arch>(bytes + i / sub_byte<Bits>::per_byte);
        (simd::bit_cast<std::int8_t>(codes) - code_of_zero).store_aligned(to + i);
    }
}

} // namespace statiq::kernels::vectorized

#endif
