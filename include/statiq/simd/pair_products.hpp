// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/memory_operand.hpp>
#include <statiq/simd/pair_accumulate.hpp>

#include <cstddef>
#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// A pair of unsigned bytes whose sum is at most this makes no `pair_products` saturate, whatever the weights:
/// 256 * 127 and 256 * -128 are int16.
inline constexpr std::int16_t largest_exact_pair = 256;

namespace detail {

template <class R>
inline halves<R> pair_products(xsimd::batch<std::uint8_t, R> x, xsimd::batch<std::int8_t, R> w, any_arch) noexcept {
    alignas(sizeof(x)) std::uint8_t xs[x.size];
    alignas(sizeof(w)) std::int8_t ws[w.size];
    alignas(sizeof(x)) std::int16_t sums[halves<R>::size];
    x.store_aligned(xs);
    w.store_aligned(ws);
    for (std::size_t i = 0; i < halves<R>::size; ++i) {
        const int sum = xs[2 * i] * ws[2 * i] + xs[2 * i + 1] * ws[2 * i + 1];
        sums[i] = static_cast<std::int16_t>(sum < -32768 ? -32768 : (sum > 32767 ? 32767 : sum));
    }
    return halves<R>::load_aligned(sums);
}
template <class R>
inline halves<R> pair_products(xsimd::batch<std::uint8_t, R> x, memory_operand<std::int8_t> w, any_arch) noexcept {
    return pair_products(x, xsimd::batch<std::int8_t, R>::load_unaligned(w.at), R{});
}
template <class R>
inline std::uint32_t pairs_above(halves<R> sums, std::int16_t limit, any_arch) noexcept {
    alignas(sizeof(sums)) std::int16_t lanes[halves<R>::size];
    sums.store_aligned(lanes);
    std::uint32_t above = 0;
    for (std::size_t i = 0; i < halves<R>::size; ++i)
        if (lanes[i] > limit) above |= std::uint32_t{1} << i / 2;
    return above;
}

template <class R>
inline halves<R> add_halves(halves<R> a, halves<R> b, any_arch) noexcept {
    return a + b;
}

// Sums are added to in assembly because GCC 12 multiplies all of a tile first, and keeps the sums in memory meanwhile.
// So is multiplied by what lies in memory, since compilers load into a register what several instructions read.

#if XSIMD_WITH_SSSE3
template <class R>
inline halves<R> pair_products(xsimd::batch<std::uint8_t, R> x, xsimd::batch<std::int8_t, R> w, xsimd::ssse3) noexcept {
    return _mm_maddubs_epi16(x, w);
}
template <class R>
inline std::uint32_t pairs_above(halves<R> sums, std::int16_t limit, xsimd::ssse3) noexcept {
    const __m128i above = _mm_cmpgt_epi16(sums, _mm_set1_epi16(limit));
    const __m128i none = _mm_cmpeq_epi32(above, _mm_setzero_si128());
    return static_cast<std::uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(none))) ^ 0xf;
}
#endif

#if XSIMD_WITH_AVX2
template <class R>
inline halves<R> pair_products(xsimd::batch<std::uint8_t, R> x, xsimd::batch<std::int8_t, R> w, xsimd::avx2) noexcept {
    return _mm256_maddubs_epi16(x, w);
}
template <class R>
inline halves<R> pair_products(xsimd::batch<std::uint8_t, R> x, memory_operand<std::int8_t> w, xsimd::avx2) noexcept {
    __m256i sums;
    asm("vpmaddubsw %2, %1, %0"
        : "=x"(sums)
        : "x"(static_cast<__m256i>(x)), "m"(*reinterpret_cast<const __m256i_u*>(w.at)));
    return sums;
}
template <class R>
inline halves<R> add_halves(halves<R> a, halves<R> b, xsimd::avx2) noexcept {
    __m256i sum = a;
    asm("vpaddw %1, %0, %0" : "+x"(sum) : "x"(static_cast<__m256i>(b)));
    return sum;
}
template <class R>
inline std::uint32_t pairs_above(halves<R> sums, std::int16_t limit, xsimd::avx2) noexcept {
    const __m256i above = _mm256_cmpgt_epi16(sums, _mm256_set1_epi16(limit));
    const __m256i none = _mm256_cmpeq_epi32(above, _mm256_setzero_si256());
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(none))) ^ 0xff;
}
#endif

#if XSIMD_WITH_AVX512BW
template <class R>
inline halves<R> pair_products(xsimd::batch<std::uint8_t, R> x, xsimd::batch<std::int8_t, R> w,
                               xsimd::avx512bw) noexcept {
    return _mm512_maddubs_epi16(x, w);
}
template <class R>
inline halves<R> add_halves(halves<R> a, halves<R> b, xsimd::avx512bw) noexcept {
    __m512i sum = a;
    asm("vpaddw %1, %0, %0" : "+v"(sum) : "v"(static_cast<__m512i>(b)));
    return sum;
}
template <class R>
inline std::uint32_t pairs_above(halves<R> sums, std::int16_t limit, xsimd::avx512bw) noexcept {
    const __m512i above = _mm512_movm_epi16(_mm512_cmpgt_epi16_mask(sums, _mm512_set1_epi16(limit)));
    return _mm512_test_epi32_mask(above, above);
}
#endif

} // namespace detail

/// x[2i] * w[2i] + x[2i + 1] * w[2i + 1] for every 16-bit lane i, saturated to int16.
template <class Arch>
[[nodiscard]] inline batch<std::int16_t, Arch> pair_products(batch<std::uint8_t, Arch> x,
                                                             batch<std::int8_t, Arch> w) noexcept {
    return detail::pair_products(x, w, Arch{});
}

/// The same with weights that are read where they lie.
template <class Arch>
[[nodiscard]] inline batch<std::int16_t, Arch> pair_products(batch<std::uint8_t, Arch> x,
                                                             memory_operand<std::int8_t> w) noexcept {
    return detail::pair_products(x, w, Arch{});
}

/// sums + pair_products(x, w), the sum modulo 2^16. @param w a register, or memory_operand.
template <class Arch, class Weights>
[[nodiscard]] inline batch<std::int16_t, Arch> add_pair_products(batch<std::int16_t, Arch> sums,
                                                                 batch<std::uint8_t, Arch> x, Weights w) noexcept {
    return detail::add_halves(sums, pair_products<Arch>(x, w), Arch{});
}

/// Bit i tells whether sums[2i] or sums[2i + 1] exceeds `limit`.
template <class Arch>
[[nodiscard]] inline std::uint32_t pairs_above(batch<std::int16_t, Arch> sums, std::int16_t limit) noexcept {
    return detail::pairs_above(sums, limit, Arch{});
}

/// acc[i] + sums[2i] + sums[2i + 1] for every 32-bit lane i (modulo 2^32).
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch> add_pairs(batch<std::int32_t, Arch> acc,
                                                         batch<std::int16_t, Arch> sums) noexcept {
    return pair_accumulate<Arch>(acc, sums, batch<std::int16_t, Arch>(std::int16_t{1}));
}

/// acc[i] - sums[2i] - sums[2i + 1] for every 32-bit lane i (modulo 2^32).
template <class Arch>
[[nodiscard]] inline batch<std::int32_t, Arch> subtract_pairs(batch<std::int32_t, Arch> acc,
                                                              batch<std::int16_t, Arch> sums) noexcept {
    return pair_accumulate<Arch>(acc, sums, batch<std::int16_t, Arch>(std::int16_t{-1}));
}

/// Whether `pair_products` is one instruction.
template <class Arch>
inline constexpr bool has_pair_products =
    std::is_base_of_v<xsimd::ssse3, register_arch<Arch>> || std::is_base_of_v<xsimd::avx2, register_arch<Arch>> ||
    std::is_base_of_v<xsimd::avx512bw, register_arch<Arch>>;

} // namespace statiq::simd

#endif
