// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

/// The greatest float below 2^31: clamping to it keeps the conversion to int32 defined. Below -2^31, x86 returns -2^31
/// and NEON saturates.
inline constexpr float greatest_int32 = 2147483520.0F;

// xsimd's own fallback of nearbyint_as_int rounds half away from zero; x86 and NEON round half to even.
template <bool Saturates, class R>
inline xsimd::batch<std::int32_t, R> scale_and_round(xsimd::batch<std::int32_t, R> acc, xsimd::batch<float, R> factor,
                                                     any_arch) noexcept {
    xsimd::batch<float, R> scaled = xsimd::to_float(acc) * factor;
    if constexpr (Saturates) scaled = (xsimd::min)(scaled, xsimd::batch<float, R>(greatest_int32));
    return xsimd::nearbyint_as_int(scaled);
}

#if XSIMD_WITH_AVX512BW
// Masked for the reason given in simd/clamp.hpp.
template <bool Saturates, class R>
inline xsimd::batch<std::int32_t, R> scale_and_round(xsimd::batch<std::int32_t, R> acc, xsimd::batch<float, R> factor,
                                                     xsimd::avx512bw) noexcept {
    __m512 scaled = _mm512_mul_ps(_mm512_maskz_cvtepi32_ps(0xffff, acc), factor);
    if constexpr (Saturates) scaled = _mm512_maskz_min_ps(0xffff, scaled, _mm512_set1_ps(greatest_int32));
    return _mm512_maskz_cvtps_epi32(0xffff, scaled);
}
#endif

} // namespace detail

/// round_half_even(float(acc) * factor) in every lane, as `float_multiplier::apply`, for factors in [0, 1), which take
/// no integer out of its range. Nothing is added to the product before it is rounded, so no compiler can contract it.
/// The rounding mode must be the default one.
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch> scale_and_round(batch<std::int32_t, Arch> acc,
                                                               batch<float, Arch> factor) noexcept {
    return detail::scale_and_round<false>(acc, factor, Arch{});
}

/// The same for every factor that `float_multiplier` prepares, saturated to [-2^31, 2^31 - 128].
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch> scale_and_round_saturated(batch<std::int32_t, Arch> acc,
                                                                         batch<float, Arch> factor) noexcept {
    return detail::scale_and_round<true>(acc, factor, Arch{});
}

} // namespace statiq::simd

#endif
