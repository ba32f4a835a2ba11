// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <class R>
inline xsimd::batch<float, R> to_float(xsimd::batch<std::int32_t, R> x, any_arch) noexcept {
    return xsimd::to_float(x);
}
template <class R>
inline xsimd::batch<std::int32_t, R> truncate(xsimd::batch<float, R> x, any_arch) noexcept {
    return xsimd::to_int(x);
}

#if XSIMD_WITH_AVX512BW
// Masked for the reason given in simd/clamp.hpp.
template <class R>
inline xsimd::batch<float, R> to_float(xsimd::batch<std::int32_t, R> x, xsimd::avx512bw) noexcept {
    return _mm512_maskz_cvtepi32_ps(0xffff, x);
}
template <class R>
inline xsimd::batch<std::int32_t, R> truncate(xsimd::batch<float, R> x, xsimd::avx512bw) noexcept {
    return _mm512_maskz_cvttps_epi32(0xffff, x);
}
#endif

} // namespace detail

/// Every integer as the nearest float, ties to even.
template <class Arch>
[[nodiscard]] inline batch<float, Arch> to_float(batch<std::int32_t, Arch> x) noexcept {
    return detail::to_float(x, Arch{});
}

/// Every float without its fraction; |x| < 2^31.
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch> truncate(batch<float, Arch> x) noexcept {
    return detail::truncate(x, Arch{});
}

} // namespace statiq::simd

#endif
