// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// Bytes as 16-bit integers: the bytes of even index, and the bytes of odd index.
template <class Arch>
using even_and_odd = std::array<batch<std::int16_t, Arch>, 2>;

namespace detail {

template <class R>
using halves = xsimd::batch<std::int16_t, R>;

template <class Byte, class R>
inline std::array<halves<R>, 2> split_bytes(xsimd::batch<Byte, R> bytes, any_arch) noexcept {
    alignas(sizeof(bytes)) Byte from[bytes.size];
    alignas(sizeof(bytes)) std::int16_t to[2][halves<R>::size];
    bytes.store_aligned(from);
    for (std::size_t i = 0; i < bytes.size; ++i) to[i % 2][i / 2] = from[i];
    return {halves<R>::load_aligned(to[0]), halves<R>::load_aligned(to[1])};
}
template <class R>
inline xsimd::batch<std::int32_t, R> pair_accumulate(xsimd::batch<std::int32_t, R> acc, halves<R> x, halves<R> w,
                                                     any_arch) noexcept {
    alignas(sizeof(acc)) std::int32_t sums[acc.size];
    alignas(sizeof(x)) std::int16_t xs[x.size];
    alignas(sizeof(w)) std::int16_t ws[w.size];
    acc.store_aligned(sums);
    x.store_aligned(xs);
    w.store_aligned(ws);
    for (std::size_t i = 0; i < acc.size; ++i)
        sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[i]) +
                                            static_cast<std::uint32_t>(xs[2 * i] * ws[2 * i]) +
                                            static_cast<std::uint32_t>(xs[2 * i + 1] * ws[2 * i + 1]));
    return xsimd::batch<std::int32_t, R>::load_aligned(sums);
}

#if XSIMD_WITH_SSE2
template <class Byte, class R>
inline std::array<halves<R>, 2> split_bytes(xsimd::batch<Byte, R> bytes, xsimd::sse2) noexcept {
    if constexpr (std::is_signed_v<Byte>)
        return {halves<R>(_mm_srai_epi16(_mm_slli_epi16(bytes, 8), 8)), halves<R>(_mm_srai_epi16(bytes, 8))};
    else
        return {halves<R>(_mm_and_si128(bytes, _mm_set1_epi16(0xff))), halves<R>(_mm_srli_epi16(bytes, 8))};
}
template <class R>
inline xsimd::batch<std::int32_t, R> pair_accumulate(xsimd::batch<std::int32_t, R> acc, halves<R> x, halves<R> w,
                                                     xsimd::sse2) noexcept {
    return _mm_add_epi32(acc, _mm_madd_epi16(x, w));
}
#endif

// Signed bytes of even index are products with 1; the bytes of odd index add products with 0. Two shifts would be one
// instruction more.

#if XSIMD_WITH_AVX2
template <class Byte, class R>
inline std::array<halves<R>, 2> split_bytes(xsimd::batch<Byte, R> bytes, xsimd::avx2) noexcept {
    if constexpr (std::is_signed_v<Byte>)
        return {halves<R>(_mm256_maddubs_epi16(_mm256_set1_epi16(1), bytes)), halves<R>(_mm256_srai_epi16(bytes, 8))};
    else
        return {halves<R>(_mm256_and_si256(bytes, _mm256_set1_epi16(0xff))), halves<R>(_mm256_srli_epi16(bytes, 8))};
}
template <class R>
inline xsimd::batch<std::int32_t, R> pair_accumulate(xsimd::batch<std::int32_t, R> acc, halves<R> x, halves<R> w,
                                                     xsimd::avx2) noexcept {
    const __m256i products = _mm256_madd_epi16(x, w);
    __m256i sum = acc;
    asm("vpaddd %1, %0, %0" : "+x"(sum) : "x"(products));
    return sum;
}
#endif

#if XSIMD_WITH_AVX512BW
template <class Byte, class R>
inline std::array<halves<R>, 2> split_bytes(xsimd::batch<Byte, R> bytes, xsimd::avx512bw) noexcept {
    if constexpr (std::is_signed_v<Byte>)
        return {halves<R>(_mm512_maddubs_epi16(_mm512_set1_epi16(1), bytes)), halves<R>(_mm512_srai_epi16(bytes, 8))};
    else
        return {halves<R>(_mm512_and_si512(bytes, _mm512_set1_epi16(0xff))), halves<R>(_mm512_srli_epi16(bytes, 8))};
}
template <class R>
inline xsimd::batch<std::int32_t, R> pair_accumulate(xsimd::batch<std::int32_t, R> acc, halves<R> x, halves<R> w,
                                                     xsimd::avx512bw) noexcept {
    const __m512i products = _mm512_madd_epi16(x, w);
    __m512i sum = acc;
    asm("vpaddd %1, %0, %0" : "+v"(sum) : "v"(products));
    return sum;
}
#endif

#if XSIMD_WITH_NEON64
template <class Byte, class R>
inline std::array<halves<R>, 2> split_bytes(xsimd::batch<Byte, R> bytes, xsimd::neon64) noexcept {
    if constexpr (std::is_signed_v<Byte>) {
        const int16x8_t pairs = vreinterpretq_s16_s8(bytes);
        return {halves<R>(vshrq_n_s16(vshlq_n_s16(pairs, 8), 8)), halves<R>(vshrq_n_s16(pairs, 8))};
    } else {
        const uint16x8_t pairs = vreinterpretq_u16_u8(bytes);
        return {halves<R>(vreinterpretq_s16_u16(vandq_u16(pairs, vdupq_n_u16(0xff)))),
                halves<R>(vreinterpretq_s16_u16(vshrq_n_u16(pairs, 8)))};
    }
}
template <class R>
inline xsimd::batch<std::int32_t, R> pair_accumulate(xsimd::batch<std::int32_t, R> acc, halves<R> x, halves<R> w,
                                                     xsimd::neon64) noexcept {
    const int16x8_t xs = x, ws = w;
    return vaddq_s32(acc, vpaddq_s32(vmull_s16(vget_low_s16(xs), vget_low_s16(ws)), vmull_high_s16(xs, ws)));
}
#endif

} // namespace detail

/// The bytes of a register as 16-bit integers: lane i of the first result is byte 2i, of the second byte 2i + 1.
template <class Arch, class Byte>
[[nodiscard]] inline even_and_odd<Arch> split_bytes(xsimd::batch<Byte, register_arch<Arch>> bytes) noexcept {
    static_assert(sizeof(Byte) == 1);
    return detail::split_bytes(bytes, Arch{});
}

/// acc[i] + x[2i] * w[2i] + x[2i + 1] * w[2i + 1] for every 32-bit lane i: products of 16-bit integers, summed exactly
/// (modulo 2^32).
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch>
pair_accumulate(batch<std::int32_t, Arch> acc, batch<std::int16_t, Arch> x, batch<std::int16_t, Arch> w) noexcept {
    return detail::pair_accumulate(acc, x, w, Arch{});
}

} // namespace statiq::simd

#endif
