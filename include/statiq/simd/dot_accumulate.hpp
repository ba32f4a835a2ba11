// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/pair_accumulate.hpp>

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

// Without a byte dot product: `maddubs` would saturate (255 * 127 + 255 * 127 > 2^15 - 1), so even and odd bytes are
// widened to 16 bits. The widening of an operand is shared by every product it takes part in.
template <class R>
inline words<R> dot_accumulate(words<R> acc, unsigned_bytes<R> x, signed_bytes<R> w, any_arch) noexcept {
    const auto xs = split_bytes(x, R{}), ws = split_bytes(w, R{});
    return pair_accumulate(pair_accumulate(acc, xs[0], ws[0], R{}), xs[1], ws[1], R{});
}

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

#if defined(__ARM_FEATURE_DOTPROD)
template <class R>
inline words<R> dot_accumulate(words<R> acc, unsigned_bytes<R> x, signed_bytes<R> w, neon64_dot) noexcept {
#if defined(__ARM_FEATURE_MATMUL_INT8)
    return vusdotq_s32(acc, x, w);
#else
    // Signed bytes alone: x w = (x - 128) w + 128 w. Pixels of a tile share the last term.
    const int8x16_t half = vdupq_n_s8(64);
    const int32x4_t offset = vdotq_s32(vdotq_s32(vdupq_n_s32(0), w, half), w, half);
    const int8x16_t centred = vreinterpretq_s8_u8(veorq_u8(x, vdupq_n_u8(128)));
    return vaddq_s32(vdotq_s32(acc, centred, w), offset);
#endif
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

/// Whether that needs no widening.
template <class Arch>
inline constexpr bool has_byte_dot =
    std::is_base_of_v<avx512_vnni, Arch> || std::is_base_of_v<avx_vnni, Arch> || std::is_base_of_v<neon64_dot, Arch>;

/// Number of extra registers the dot product needs in an inner loop with `weights` registers of weights.
template <class Arch>
[[nodiscard]] constexpr int dot_constants([[maybe_unused]] int weights) noexcept {
#if defined(__ARM_FEATURE_DOTPROD) && !defined(__ARM_FEATURE_MATMUL_INT8)
    if (std::is_base_of_v<neon64_dot, Arch>) return weights + 2;
#endif
    return has_byte_dot<Arch> ? 0 : 3;
}

} // namespace statiq::simd

#endif
