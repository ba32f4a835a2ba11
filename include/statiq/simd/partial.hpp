// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

/// Copies fewer than 2 * Piece bytes, as pieces of Piece, Piece / 2, ... 1: at most one of each, without a loop that
/// compilers would turn into a call of memcpy.
template <std::size_t Piece>
[[gnu::always_inline]] inline void copy_bytes(unsigned char* to, const unsigned char* from,
                                              std::size_t bytes) noexcept {
    if ((bytes & Piece) != 0) {
        std::memcpy(to, from, Piece);
        to += Piece;
        from += Piece;
    }
    if constexpr (Piece > 1) copy_bytes<Piece / 2>(to, from, bytes);
}

template <class B>
inline B load_first(const typename B::value_type* from, std::size_t count, any_arch) noexcept {
    if (count == B::size) return B::load_unaligned(from);
    alignas(sizeof(B)) typename B::value_type lanes[B::size] = {};
    copy_bytes<sizeof(B) / 2>(reinterpret_cast<unsigned char*>(lanes), reinterpret_cast<const unsigned char*>(from),
                              count * sizeof(lanes[0]));
    return B::load_aligned(lanes);
}

template <class B>
inline void store_first(typename B::value_type* to, B values, std::size_t count, any_arch) noexcept {
    if (count == B::size) return values.store_unaligned(to);
    alignas(sizeof(B)) typename B::value_type lanes[B::size];
    values.store_aligned(lanes);
    copy_bytes<sizeof(B) / 2>(reinterpret_cast<unsigned char*>(to), reinterpret_cast<const unsigned char*>(lanes),
                              count * sizeof(lanes[0]));
}

#if XSIMD_WITH_AVX512BW
template <class B>
inline B load_first(const typename B::value_type* from, std::size_t count, xsimd::avx512bw) noexcept {
    if constexpr (sizeof(typename B::value_type) == 1) {
        return _mm512_maskz_loadu_epi8(~std::uint64_t{0} >> (64 - count), from);
    } else {
        static_assert(sizeof(typename B::value_type) == 4);
        const __m512i lanes = _mm512_maskz_loadu_epi32(static_cast<__mmask16>(0xffffU >> (16 - count)), from);
        return std::bit_cast<B>(lanes);
    }
}

template <class B>
inline void store_first(typename B::value_type* to, B values, std::size_t count, xsimd::avx512bw) noexcept {
    if constexpr (sizeof(typename B::value_type) == 1) {
        _mm512_mask_storeu_epi8(to, ~std::uint64_t{0} >> (64 - count), values);
    } else {
        static_assert(sizeof(typename B::value_type) == 4);
        _mm512_mask_storeu_epi32(to, static_cast<__mmask16>(0xffffU >> (16 - count)), std::bit_cast<__m512i>(values));
    }
}
#endif

} // namespace detail

/// The first `count` values from memory, the other lanes zero; reads nothing beyond them. 1 <= count <= size.
template <class Arch, class T>
[[nodiscard]] inline batch<T, Arch> load_first(const T* from, std::size_t count) noexcept {
    return detail::load_first<batch<T, Arch>>(from, count, Arch{});
}

/// Stores the first `count` lanes; writes nothing beyond them. 1 <= count <= size.
template <class Arch, class T>
inline void store_first(T* to, xsimd::batch<T, register_arch<Arch>> values, std::size_t count) noexcept {
    detail::store_first(to, values, count, Arch{});
}

} // namespace statiq::simd

#endif
