// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/conversions.hpp>

#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// The nearest integer in every lane, ties away from zero: `half_away`, for |x| <= 2^22.
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch> round_half_away(batch<float, Arch> x) noexcept {
    // Away from zero by the greatest float below 1/2, then truncated. By 1/2 itself, that float would become 1; with
    // it, ties do all the same, because their sum, 2^-25 short of an integer, is rounded to it.
    const batch<float, Arch> sign(-0.0F);
    const batch<float, Arch> below_half(0x1.fffffep-2F);
    return truncate<Arch>(x + (below_half | (x & sign)));
}

} // namespace statiq::simd

#endif
