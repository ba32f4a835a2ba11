// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// Four registers whose lanes are in block order: the four lanes of 128-bit block b of register j belong to the bytes
/// 16 b + 4 j ... 16 b + 4 j + 3 of a register of bytes. `interleave` brings bytes into this order and `narrow` takes
/// results back, so neither crosses a 128-bit block.
template <class T, class Arch>
using quad = std::array<batch<T, Arch>, 4>;

/// The byte that lane `lane` of register `part` of a quad belongs to.
[[nodiscard]] constexpr std::size_t block_order(std::size_t part, std::size_t lane) noexcept {
    return lane / 4 * 16 + part * 4 + lane % 4;
}

namespace detail {

template <class B>
inline std::array<B, 4> interleave(B a, B b, B c, B d, any_arch) noexcept {
    using byte = typename B::value_type;
    alignas(sizeof(B)) byte from[4][B::size];
    alignas(sizeof(B)) byte to[4][B::size];
    a.store_aligned(from[0]);
    b.store_aligned(from[1]);
    c.store_aligned(from[2]);
    d.store_aligned(from[3]);
    for (std::size_t part = 0; part < 4; ++part)
        for (std::size_t i = 0; i < B::size; ++i) to[part][i] = from[i % 4][block_order(part, i / 4)];
    return {B::load_aligned(to[0]), B::load_aligned(to[1]), B::load_aligned(to[2]), B::load_aligned(to[3])};
}

#if XSIMD_WITH_SSE2
template <class B>
inline std::array<B, 4> interleave(B a, B b, B c, B d, xsimd::sse2) noexcept {
    const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
    const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
    return {B(_mm_unpacklo_epi16(ab_low, cd_low)), B(_mm_unpackhi_epi16(ab_low, cd_low)),
            B(_mm_unpacklo_epi16(ab_high, cd_high)), B(_mm_unpackhi_epi16(ab_high, cd_high))};
}
#endif

#if XSIMD_WITH_AVX2
template <class B>
inline std::array<B, 4> interleave(B a, B b, B c, B d, xsimd::avx2) noexcept {
    const __m256i ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
    const __m256i cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
    return {B(_mm256_unpacklo_epi16(ab_low, cd_low)), B(_mm256_unpackhi_epi16(ab_low, cd_low)),
            B(_mm256_unpacklo_epi16(ab_high, cd_high)), B(_mm256_unpackhi_epi16(ab_high, cd_high))};
}
#endif

#if XSIMD_WITH_AVX512BW
template <class B>
inline std::array<B, 4> interleave(B a, B b, B c, B d, xsimd::avx512bw) noexcept {
    const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
    const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
    return {B(_mm512_unpacklo_epi16(ab_low, cd_low)), B(_mm512_unpackhi_epi16(ab_low, cd_low)),
            B(_mm512_unpacklo_epi16(ab_high, cd_high)), B(_mm512_unpackhi_epi16(ab_high, cd_high))};
}
#endif

} // namespace detail

/// Byte i of four registers side by side: bytes 4 l ... 4 l + 3 of register j of the result are a[i], b[i], c[i], d[i]
/// with i = block_order(j, l).
template <class Arch, class Byte>
[[nodiscard]] inline quad<Byte, Arch>
interleave(xsimd::batch<Byte, register_arch<Arch>> a, xsimd::batch<Byte, register_arch<Arch>> b,
           xsimd::batch<Byte, register_arch<Arch>> c, xsimd::batch<Byte, register_arch<Arch>> d) noexcept {
    static_assert(sizeof(Byte) == 1);
    return detail::interleave(a, b, c, d, Arch{});
}

} // namespace statiq::simd

#endif
