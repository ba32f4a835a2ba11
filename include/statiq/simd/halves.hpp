// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// The instruction set with registers of half the size, where that pays: they fill with fewer channels, and of 256 bits
/// are shuffled twice per cycle. Otherwise Arch.
template <class Arch>
using half_arch = std::conditional_t<
    std::is_base_of_v<avx512_vnni, Arch> && detail::has_avx_vnni, avx_vnni,
    std::conditional_t<std::is_base_of_v<xsimd::avx512bw, Arch>, xsimd::avx2,
                       std::conditional_t<std::is_base_of_v<xsimd::avx2, Arch>, xsimd::sse4_1, Arch>>>;

/// Whether registers are joined of halves and split into them by an instruction or two.
template <class Arch>
inline constexpr bool joins_halves = std::is_base_of_v<xsimd::avx512bw, Arch>;

/// Registers of bytes: `low`, then `high`.
template <class Arch, class Byte>
requires joins_halves<Arch>
[[nodiscard]] inline batch<Byte, Arch> join_halves(xsimd::batch<Byte, register_arch<half_arch<Arch>>> low,
                                                   xsimd::batch<Byte, register_arch<half_arch<Arch>>> high) noexcept;
template <class Arch, class Byte>
requires joins_halves<Arch>
[[nodiscard]] inline batch<Byte, half_arch<Arch>> low_half(xsimd::batch<Byte, register_arch<Arch>> joined) noexcept;
template <class Arch, class Byte>
requires joins_halves<Arch>
[[nodiscard]] inline batch<Byte, half_arch<Arch>> high_half(xsimd::batch<Byte, register_arch<Arch>> joined) noexcept;

#if XSIMD_WITH_AVX512BW

// Masked for the reason given in simd/clamp.hpp.
template <class Arch, class Byte>
requires joins_halves<Arch>
inline batch<Byte, Arch> join_halves(xsimd::batch<Byte, register_arch<half_arch<Arch>>> low,
                                     xsimd::batch<Byte, register_arch<half_arch<Arch>>> high) noexcept {
    return _mm512_maskz_inserti64x4(0xff, _mm512_castsi256_si512(low), high, 1);
}
template <class Arch, class Byte>
requires joins_halves<Arch>
inline batch<Byte, half_arch<Arch>> low_half(xsimd::batch<Byte, register_arch<Arch>> joined) noexcept {
    return _mm512_maskz_extracti64x4_epi64(0xff, joined, 0);
}
template <class Arch, class Byte>
requires joins_halves<Arch>
inline batch<Byte, half_arch<Arch>> high_half(xsimd::batch<Byte, register_arch<Arch>> joined) noexcept {
    return _mm512_maskz_extracti64x4_epi64(0xff, joined, 1);
}

#endif

} // namespace statiq::simd

#endif
