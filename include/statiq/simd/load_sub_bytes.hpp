// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <class To, class R>
inline xsimd::batch<To, R> load_widened(const std::uint8_t* from, any_arch) noexcept {
    alignas(sizeof(xsimd::batch<To, R>)) To lanes[xsimd::batch<To, R>::size];
    for (std::size_t i = 0; i < xsimd::batch<To, R>::size; ++i) lanes[i] = from[i];
    return xsimd::batch<To, R>::load_aligned(lanes);
}

template <class T, class R>
inline xsimd::batch<T, R> shift_left(xsimd::batch<T, R> x, unsigned count, any_arch) noexcept {
    return x << static_cast<int>(count);
}

#if XSIMD_WITH_SSE4_1
template <class To, class R>
inline xsimd::batch<To, R> load_widened(const std::uint8_t* from, xsimd::sse4_1) noexcept {
    if constexpr (sizeof(To) == 2) {
        return _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    } else {
        std::int32_t four;
        std::memcpy(&four, from, sizeof(four));
        return _mm_cvtepu8_epi32(_mm_cvtsi32_si128(four));
    }
}
#endif
#if XSIMD_WITH_AVX2
template <class To, class R>
inline xsimd::batch<To, R> load_widened(const std::uint8_t* from, xsimd::avx2) noexcept {
    if constexpr (sizeof(To) == 2)
        return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    else
        return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
}
#endif
#if XSIMD_WITH_AVX512BW
template <class To, class R>
inline xsimd::batch<To, R> load_widened(const std::uint8_t* from, xsimd::avx512bw) noexcept {
    if constexpr (sizeof(To) == 2)
        return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    else
        // Masked: GCC 12 warns of the undefined operand that its own unmasked intrinsics pass.
        return _mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
template <class R>
inline xsimd::batch<std::uint32_t, R> shift_left(xsimd::batch<std::uint32_t, R> x, unsigned count,
                                                 xsimd::avx512bw) noexcept {
    return _mm512_maskz_slli_epi32(0xffff, x, count);
}
#endif
#if XSIMD_WITH_NEON64
template <class To, class R>
inline xsimd::batch<To, R> load_widened(const std::uint8_t* from, xsimd::neon64) noexcept {
    if constexpr (sizeof(To) == 2) {
        return vmovl_u8(vld1_u8(from));
    } else {
        std::uint32_t four;
        std::memcpy(&four, from, sizeof(four));
        return vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)))));
    }
}
#endif

} // namespace detail

/// A register of bytes from integers of Bits bits that share bytes in memory: lane i is those from bit
/// Bits * (i % (8 / Bits)) up of byte i / (8 / Bits). Reads no byte that holds none of them.
/// @tparam Bits 2 or 4.
template <int Bits, class Arch>
[[nodiscard]] inline batch<std::uint8_t, Arch> load_sub_bytes(const std::uint8_t* from) noexcept {
    static_assert(Bits == 2 || Bits == 4);
    // Each byte becomes one lane per packed integer (2 for 4 bits, 4 for 2 bits). A shift and a mask isolate the
    // integer.
    using lane = std::conditional_t<Bits == 4, std::uint16_t, std::uint32_t>;
    using lanes = batch<lane, Arch>;
    lanes x = detail::load_widened<lane, register_arch<Arch>>(from, Arch{});
    if constexpr (Bits == 2) x = x | detail::shift_left(x, 12, Arch{});
    x = x | detail::shift_left(x, 8 - Bits, Arch{});
    return bit_cast<std::uint8_t>(x & lanes(static_cast<lane>(Bits == 4 ? 0x0F0F : 0x03030303)));
}

} // namespace statiq::simd

#endif
