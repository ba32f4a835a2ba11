// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <class B>
inline B clamp(B x, B lowest, B highest, any_arch) noexcept {
    return (xsimd::min)((xsimd::max)(x, lowest), highest);
}
template <class R>
inline xsimd::batch<float, R> clamp(xsimd::batch<float, R> x, xsimd::batch<float, R> lowest,
                                    xsimd::batch<float, R> highest, any_arch) noexcept {
    return xsimd::select(x < lowest, lowest, xsimd::select(highest < x, highest, x));
}

// MAXPS and MINPS give their second operand where one of the two is a NaN, and where both are zeros.
#if XSIMD_WITH_SSE2
template <class R>
inline xsimd::batch<float, R> clamp(xsimd::batch<float, R> x, xsimd::batch<float, R> lowest,
                                    xsimd::batch<float, R> highest, xsimd::sse2) noexcept {
    return _mm_min_ps(highest, _mm_max_ps(lowest, x));
}
#endif
#if XSIMD_WITH_AVX
template <class R>
inline xsimd::batch<float, R> clamp(xsimd::batch<float, R> x, xsimd::batch<float, R> lowest,
                                    xsimd::batch<float, R> highest, xsimd::avx) noexcept {
    return _mm256_min_ps(highest, _mm256_max_ps(lowest, x));
}
#endif
#if XSIMD_WITH_AVX512BW
// GCC 12 warns of the undefined operand its own unmasked AVX-512 intrinsics pass; the masked ones have none, and under
// a mask of ones compile to the same instructions.
template <class R>
inline xsimd::batch<float, R> clamp(xsimd::batch<float, R> x, xsimd::batch<float, R> lowest,
                                    xsimd::batch<float, R> highest, xsimd::avx512bw) noexcept {
    return _mm512_maskz_min_ps(0xffff, highest, _mm512_maskz_max_ps(0xffff, lowest, x));
}
#endif

} // namespace detail

/// std::clamp in every lane, lowest <= highest: a NaN stays one, and a zero its sign.
template <class Arch, class T>
[[nodiscard]] inline batch<T, Arch> clamp(xsimd::batch<T, register_arch<Arch>> x, T lowest, T highest) noexcept {
    return detail::clamp(x, batch<T, Arch>(lowest), batch<T, Arch>(highest), Arch{});
}

} // namespace statiq::simd

#endif
