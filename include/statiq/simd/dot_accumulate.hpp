// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <class R>
using words = xsimd::batch<std::int32_t, R>;
template <class R>
using unsigned_bytes = xsimd::batch<std::uint8_t, R>;
template <class R>
using signed_bytes = xsimd::batch<std::int8_t, R>;

template <class R>
inline words<R> dot_accumulate(words<R> acc, unsigned_bytes<R> x, signed_bytes<R> w, any_arch) noexcept {
    alignas(sizeof(x)) std::uint8_t xs[x.size];
    alignas(sizeof(w)) std::int8_t ws[w.size];
    alignas(sizeof(acc)) std::int32_t sums[acc.size];
    x.store_aligned(xs);
    w.store_aligned(ws);
    acc.store_aligned(sums);
    for (std::size_t i = 0; i < acc.size; ++i) {
        std::int32_t dot = 0;
        for (std::size_t j = 4 * i; j < 4 * i + 4; ++j) dot += xs[j] * ws[j];
        sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[i]) + static_cast<std::uint32_t>(dot));
    }
    return words<R>::load_aligned(sums);
}

// Without a byte dot product: `maddubs` would saturate (255 * 127 + 255 * 127 > 2^15 - 1), so even and odd bytes are
// widened to 16 bits, where `madd` is exact. The widening of an operand is shared by every product it takes part in.

#if XSIMD_WITH_SSE2
template <class R>
inline words<R> dot_accumulate(words<R> acc, unsigned_bytes<R> x, signed_bytes<R> w, xsimd::sse2) noexcept {
    const __m128i even =
        _mm_madd_epi16(_mm_and_si128(x, _mm_set1_epi16(0xff)), _mm_srai_epi16(_mm_slli_epi16(w, 8), 8));
    const __m128i odd = _mm_madd_epi16(_mm_srli_epi16(x, 8), _mm_srai_epi16(w, 8));
    return _mm_add_epi32(_mm_add_epi32(acc, even), odd);
}
#endif

#if XSIMD_WITH_AVX2
template <class R>
inline words<R> dot_accumulate(words<R> acc, unsigned_bytes<R> x, signed_bytes<R> w, xsimd::avx2) noexcept {
    const __m256i even =
        _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(0xff)), _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(x, 8), _mm256_srai_epi16(w, 8));
    return _mm256_add_epi32(_mm256_add_epi32(acc, even), odd);
}
#endif

#if XSIMD_WITH_AVX512BW
template <class R>
inline words<R> dot_accumulate(words<R> acc, unsigned_bytes<R> x, signed_bytes<R> w, xsimd::avx512bw) noexcept {
    const __m512i even =
        _mm512_madd_epi16(_mm512_and_si512(x, _mm512_set1_epi16(0xff)), _mm512_srai_epi16(_mm512_slli_epi16(w, 8), 8));
    const __m512i odd = _mm512_madd_epi16(_mm512_srli_epi16(x, 8), _mm512_srai_epi16(w, 8));
    return _mm512_add_epi32(_mm512_add_epi32(acc, even), odd);
}
#endif

// The one instruction is written in assembly because GCC 12 copies the accumulator around the intrinsic in large
// register tiles.

#if defined(__AVXVNNI__) || (defined(__AVX512VNNI__) && defined(__AVX512VL__))
template <class R>
inline words<R> dot_accumulate(words<R> acc, unsigned_bytes<R> x, signed_bytes<R> w, avx_vnni) noexcept {
    __m256i sum = acc;
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(static_cast<__m256i>(x)), "v"(static_cast<__m256i>(w)));
#else
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(static_cast<__m256i>(x)), "x"(static_cast<__m256i>(w)));
#endif
    return sum;
}
#endif

#if defined(__AVX512VNNI__)
template <class R>
inline words<R> dot_accumulate(words<R> acc, unsigned_bytes<R> x, signed_bytes<R> w, avx512_vnni) noexcept {
    __m512i sum = acc;
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(static_cast<__m512i>(x)), "v"(static_cast<__m512i>(w)));
    return sum;
}
#endif

} // namespace detail

/// acc[i] + x[4i] * w[4i] + ... + x[4i + 3] * w[4i + 3] for every 32-bit lane i: products of unsigned and signed bytes,
/// summed exactly (modulo 2^32), never saturated.
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch>
dot_accumulate(batch<std::int32_t, Arch> acc, batch<std::uint8_t, Arch> x, batch<std::int8_t, Arch> w) noexcept {
    return detail::dot_accumulate(acc, x, w, Arch{});
}

/// Registers an operand of `dot_accumulate` occupies while it is in use: two where it has to be widened.
template <class Arch>
inline constexpr int dot_operand_registers =
    std::is_base_of_v<avx512_vnni, Arch> || std::is_base_of_v<avx_vnni, Arch> ? 1 : 2;

} // namespace statiq::simd

#endif
