// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/interleave.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <class Out, class R>
inline xsimd::batch<Out, R> narrow(const std::array<xsimd::batch<std::int32_t, R>, 4>& v, std::int32_t offset,
                                   any_arch) noexcept {
    using words = xsimd::batch<std::int32_t, R>;
    using bytes = xsimd::batch<Out, R>;
    alignas(sizeof(words)) std::int32_t lanes[4][words::size];
    alignas(sizeof(bytes)) Out narrowed[bytes::size];
    for (std::size_t part = 0; part < 4; ++part) {
        v[part].store_aligned(lanes[part]);
        for (std::size_t lane = 0; lane < words::size; ++lane) {
            const std::int64_t sum = std::int64_t{lanes[part][lane]} + offset;
            constexpr std::int64_t low = std::numeric_limits<Out>::lowest(), high = (std::numeric_limits<Out>::max)();
            narrowed[block_order(part, lane)] = static_cast<Out>(sum < low ? low : (sum > high ? high : sum));
        }
    }
    return bytes::load_aligned(narrowed);
}

#if XSIMD_WITH_SSE2
template <class Out, class R>
inline xsimd::batch<Out, R> narrow(const std::array<xsimd::batch<std::int32_t, R>, 4>& v, std::int32_t offset,
                                   xsimd::sse2) noexcept {
    __m128i low = _mm_packs_epi32(v[0], v[1]), high = _mm_packs_epi32(v[2], v[3]);
    if (offset != 0) {
        const __m128i offsets = _mm_set1_epi16(static_cast<std::int16_t>(offset));
        low = _mm_adds_epi16(low, offsets);
        high = _mm_adds_epi16(high, offsets);
    }
    if constexpr (std::is_signed_v<Out>)
        return _mm_packs_epi16(low, high);
    else
        return _mm_packus_epi16(low, high);
}
#endif

#if XSIMD_WITH_AVX2
template <class Out, class R>
inline xsimd::batch<Out, R> narrow(const std::array<xsimd::batch<std::int32_t, R>, 4>& v, std::int32_t offset,
                                   xsimd::avx2) noexcept {
    __m256i low = _mm256_packs_epi32(v[0], v[1]), high = _mm256_packs_epi32(v[2], v[3]);
    if (offset != 0) {
        const __m256i offsets = _mm256_set1_epi16(static_cast<std::int16_t>(offset));
        low = _mm256_adds_epi16(low, offsets);
        high = _mm256_adds_epi16(high, offsets);
    }
    if constexpr (std::is_signed_v<Out>)
        return _mm256_packs_epi16(low, high);
    else
        return _mm256_packus_epi16(low, high);
}
#endif

#if XSIMD_WITH_AVX512BW
template <class Out, class R>
inline xsimd::batch<Out, R> narrow(const std::array<xsimd::batch<std::int32_t, R>, 4>& v, std::int32_t offset,
                                   xsimd::avx512bw) noexcept {
    __m512i low = _mm512_packs_epi32(v[0], v[1]), high = _mm512_packs_epi32(v[2], v[3]);
    if (offset != 0) {
        const __m512i offsets = _mm512_set1_epi16(static_cast<std::int16_t>(offset));
        low = _mm512_adds_epi16(low, offsets);
        high = _mm512_adds_epi16(high, offsets);
    }
    if constexpr (std::is_signed_v<Out>)
        return _mm512_packs_epi16(low, high);
    else
        return _mm512_packus_epi16(low, high);
}
#endif

template <class B>
inline B from_block_order(B bytes, any_arch) noexcept {
    using byte = typename B::value_type;
    alignas(sizeof(B)) byte from[B::size];
    alignas(sizeof(B)) byte to[B::size];
    bytes.store_aligned(from);
    for (std::size_t part = 0; part < 4; ++part)
        for (std::size_t lane = 0; lane < B::size / 4; ++lane)
            to[part * (B::size / 4) + lane] = from[block_order(part, lane)];
    return B::load_aligned(to);
}

#if XSIMD_WITH_SSE2
template <class B>
inline B from_block_order(B bytes, xsimd::sse2) noexcept {
    return bytes;
}
#endif

#if XSIMD_WITH_AVX2
template <class B>
inline B from_block_order(B bytes, xsimd::avx2) noexcept {
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
#endif

#if XSIMD_WITH_AVX512BW
template <class B>
inline B from_block_order(B bytes, xsimd::avx512bw) noexcept {
    // Masked for the reason given in simd/clamp.hpp.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_maskz_permutexvar_epi32(0xffff, order, bytes);
}
#endif

template <class B>
inline B to_block_order(B bytes, any_arch) noexcept {
    using byte = typename B::value_type;
    alignas(sizeof(B)) byte from[B::size];
    alignas(sizeof(B)) byte to[B::size];
    bytes.store_aligned(from);
    for (std::size_t part = 0; part < 4; ++part)
        for (std::size_t lane = 0; lane < B::size / 4; ++lane)
            to[block_order(part, lane)] = from[part * (B::size / 4) + lane];
    return B::load_aligned(to);
}

#if XSIMD_WITH_SSE2
template <class B>
inline B to_block_order(B bytes, xsimd::sse2) noexcept {
    return bytes;
}
#endif

#if XSIMD_WITH_AVX2
template <class B>
inline B to_block_order(B bytes, xsimd::avx2) noexcept {
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
}
#endif

#if XSIMD_WITH_AVX512BW
template <class B>
inline B to_block_order(B bytes, xsimd::avx512bw) noexcept {
    return from_block_order(bytes, xsimd::avx512bw{}); // a transposition of 4 x 4 words
}
#endif

} // namespace detail

/// Four registers of integers in block order as one register of bytes: byte block_order(j, l) of the result is
/// v[j][l] + offset, saturated to the range of Out. |offset| <= 255.
template <class Out, class Arch>
[[nodiscard]] inline batch<Out, Arch> narrow(const quad<std::int32_t, Arch>& v, std::int32_t offset) noexcept {
    static_assert(sizeof(Out) == 1);
    return detail::narrow<Out>(v, offset, Arch{});
}

/// For registers that held consecutive lanes before `narrow`: byte n * j + l (n = lanes of 32 bits) of the result is
/// byte block_order(j, l) of `bytes`.
template <class Arch, class Byte>
[[nodiscard]] inline batch<Byte, Arch> from_block_order(xsimd::batch<Byte, register_arch<Arch>> bytes) noexcept {
    return detail::from_block_order(bytes, Arch{});
}

/// The inverse: registers that `widen` makes of the result hold consecutive lanes.
template <class Arch, class Byte>
[[nodiscard]] inline batch<Byte, Arch> to_block_order(xsimd::batch<Byte, register_arch<Arch>> bytes) noexcept {
    return detail::to_block_order(bytes, Arch{});
}

} // namespace statiq::simd

#endif
