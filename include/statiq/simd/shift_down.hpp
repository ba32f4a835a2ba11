// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <cstddef>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <std::size_t Lanes, class B>
inline B shift_down(B values, any_arch) noexcept {
    alignas(sizeof(B)) typename B::value_type lanes[2 * B::size] = {};
    values.store_aligned(lanes);
    return B::load_unaligned(lanes + Lanes);
}

#if XSIMD_WITH_AVX512BW
template <std::size_t Lanes, class B>
inline B shift_down(B values, xsimd::avx512bw) noexcept {
    // Masked for the reason given in simd/clamp.hpp.
    static_assert(sizeof(typename B::value_type) == 1 && Lanes % 8 == 0);
    return _mm512_maskz_alignr_epi64(0xff, _mm512_setzero_si512(), values, Lanes / 8);
}
#endif

#if XSIMD_WITH_AVX2
template <std::size_t Lanes, class B>
inline B shift_down(B values, xsimd::avx2) noexcept {
    static_assert(sizeof(typename B::value_type) == 1 && Lanes % 8 == 0);
    constexpr int first = Lanes / 8;
    return _mm256_permute4x64_epi64(values, (first + 0) % 4 + (first + 1) % 4 * 4 + (first + 2) % 4 * 16);
}
#endif

#if XSIMD_WITH_SSE2
template <std::size_t Lanes, class B>
inline B shift_down(B values, xsimd::sse2) noexcept {
    static_assert(sizeof(typename B::value_type) == 1);
    return _mm_srli_si128(values, Lanes);
}
#endif

} // namespace detail

/// Lane i of the result is lane i + Lanes of `values`; the last `Lanes` lanes are unspecified.
template <std::size_t Lanes, class Arch, class T>
[[nodiscard]] inline batch<T, Arch> shift_down(xsimd::batch<T, register_arch<Arch>> values) noexcept {
    if constexpr (Lanes == 0)
        return values;
    else
        return detail::shift_down<Lanes>(values, Arch{});
}

} // namespace statiq::simd

#endif
