// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <bit>
#include <cstdint>

namespace statiq::io {

/// IEEE binary16 as stored: 1 sign, 5 exponent and 10 fraction bits. Every value is exact in float.
struct float16 {
    std::uint16_t bits = 0;

    explicit constexpr operator float() const noexcept {
        const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
        const std::uint32_t exponent = (bits >> 10) & 0x1Fu;
        const std::uint32_t fraction = bits & 0x3FFu;
        if (exponent == 0) {
            const float magnitude = static_cast<float>(fraction) * 0x1p-24f; // subnormal: fraction / 2^10 * 2^-14
            return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
        }
        const std::uint32_t rebiased = exponent == 31 ? 255 : exponent + (127 - 15);
        return std::bit_cast<float>(sign | (rebiased << 23) | (fraction << 13));
    }
    friend constexpr bool operator==(float16, float16) = default; ///< of the bits: NaN equals itself, -0 is not 0
};

/// bfloat16 as stored: the upper half of a float.
struct bfloat16 {
    std::uint16_t bits = 0;

    explicit constexpr operator float() const noexcept {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
    }
    friend constexpr bool operator==(bfloat16, bfloat16) = default; ///< of the bits
};

static_assert(sizeof(float16) == 2 && sizeof(bfloat16) == 2);

} // namespace statiq::io
