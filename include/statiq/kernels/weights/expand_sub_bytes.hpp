// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/weights/sub_byte.hpp>
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

/// Panels that are expanded, one at a time, before they are read: as `packed_panels`.
template <class Arch, int Bits>
struct expanded_panels {
    const std::int8_t* packed;
    std::int8_t* expanded; ///< room for the largest, aligned to a register

    [[nodiscard]] const std::int8_t* at(std::size_t offset, std::size_t count) const noexcept {
        expand_sub_bytes<Arch, Bits>(packed + offset / sub_byte<Bits>::per_byte, expanded, count);
        return expanded;
    }
    [[nodiscard]] memory_ahead memory(std::size_t offset, std::size_t count) const noexcept {
        return {packed + offset / sub_byte<Bits>::per_byte, count / sub_byte<Bits>::per_byte};
    }
};

} // namespace statiq::kernels::vectorized

#endif
