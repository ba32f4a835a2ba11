// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

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

template <class R, class T>
[[gnu::always_inline]] inline void store_half(T* to, xsimd::batch<T, R> v, any_arch) noexcept {
    alignas(sizeof(v)) T lanes[v.size];
    v.store_aligned(lanes);
    std::memcpy(to, lanes, sizeof(v) / 2);
}
#if XSIMD_WITH_SSE2
template <class R, class T>
[[gnu::always_inline]] inline void store_half(T* to, xsimd::batch<T, R> v, xsimd::sse2) noexcept {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), std::bit_cast<__m128i>(v));
}
#endif
#if XSIMD_WITH_AVX2
template <class R, class T>
[[gnu::always_inline]] inline void store_half(T* to, xsimd::batch<T, R> v, xsimd::avx2) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(std::bit_cast<__m256i>(v)));
}
#endif

} // namespace detail

/// The first `count` lanes of a register, 1 <= count <= size: loads and stores that touch nothing beyond them. Made
/// once, used often: where there are masks, this is one.
template <class T, class Arch>
class first_lanes {
    using values = batch<T, Arch>;

  public:
    first_lanes() = default;
    explicit first_lanes(std::size_t count) noexcept : count_(count) {}

    /// The lanes from memory, the others zero.
    [[nodiscard]] [[gnu::always_inline]] values load(const T* from) const noexcept {
        if (count_ == values::size) [[likely]]
            return values::load_unaligned(from);
        return load_part(from, count_);
    }
    [[gnu::always_inline]] void store(T* to, values v) const noexcept {
        if (count_ == values::size) [[likely]]
            return v.store_unaligned(to);
        if (2 * count_ == values::size) // the outputs of a narrow tile
            return detail::store_half(to, v, register_arch<Arch>{});
        store_part(to, v, count_);
    }

  private:
    // Functions of their own, so that whole registers are loaded and stored where they are used: in large kernels
    // compilers would call for both.
    [[gnu::noinline]] static values load_part(const T* from, std::size_t count) noexcept {
        alignas(sizeof(values)) T lanes[values::size] = {};
        detail::copy_bytes<sizeof(values) / 2>(reinterpret_cast<unsigned char*>(lanes),
                                               reinterpret_cast<const unsigned char*>(from), count * sizeof(T));
        return values::load_aligned(lanes);
    }
    [[gnu::noinline]] static void store_part(T* to, values v, std::size_t count) noexcept {
        alignas(sizeof(values)) T lanes[values::size];
        v.store_aligned(lanes);
        detail::copy_bytes<sizeof(values) / 2>(reinterpret_cast<unsigned char*>(to),
                                               reinterpret_cast<const unsigned char*>(lanes), count * sizeof(T));
    }

    std::size_t count_ = values::size;
};

#if XSIMD_WITH_AVX512BW

namespace detail {
/// Registers that have masks: of 512 bits, and with AVX-512VL of 256.
template <class Arch>
inline constexpr bool has_masks = std::is_base_of_v<xsimd::avx512bw, Arch>
#if defined(__AVX512VL__)
                                  || std::is_base_of_v<xsimd::avx2, Arch>
#endif
    ;
} // namespace detail

template <class T, class Arch>
requires detail::has_masks<Arch>
class first_lanes<T, Arch> {
    using values = batch<T, Arch>;
    static constexpr bool bytes = sizeof(T) == 1, whole = sizeof(values) == 64;
    using mask = std::conditional_t<bytes, std::conditional_t<whole, __mmask64, __mmask32>,
                                    std::conditional_t<whole, __mmask16, __mmask8>>;
    static_assert(bytes || sizeof(T) == 4);

  public:
    first_lanes() = default;
    explicit first_lanes(std::size_t count) noexcept : mask_(static_cast<mask>(~std::uint64_t{0} >> (64 - count))) {}

    [[nodiscard]] values load(const T* from) const noexcept {
        if constexpr (whole) {
            if constexpr (bytes)
                return _mm512_maskz_loadu_epi8(mask_, from);
            else
                return std::bit_cast<values>(_mm512_maskz_loadu_epi32(mask_, from));
        }
#if defined(__AVX512VL__)
        else if constexpr (bytes)
            return _mm256_maskz_loadu_epi8(mask_, from);
        else
            return std::bit_cast<values>(_mm256_maskz_loadu_epi32(mask_, from));
#endif
    }
    void store(T* to, values v) const noexcept {
        if constexpr (whole) {
            if constexpr (bytes)
                _mm512_mask_storeu_epi8(to, mask_, v);
            else
                _mm512_mask_storeu_epi32(to, mask_, std::bit_cast<__m512i>(v));
        }
#if defined(__AVX512VL__)
        else if constexpr (bytes)
            _mm256_mask_storeu_epi8(to, mask_, v);
        else
            _mm256_mask_storeu_epi32(to, mask_, std::bit_cast<__m256i>(v));
#endif
    }

  private:
    mask mask_ = static_cast<mask>(~std::uint64_t{0});
};

#endif

/// The first `count` values from memory, the other lanes zero; reads nothing beyond them. 1 <= count <= size.
template <class Arch, class T>
[[nodiscard]] inline batch<T, Arch> load_first(const T* from, std::size_t count) noexcept {
    return first_lanes<T, Arch>(count).load(from);
}

/// Stores the first `count` lanes; writes nothing beyond them. 1 <= count <= size.
template <class Arch, class T>
inline void store_first(T* to, xsimd::batch<T, register_arch<Arch>> values, std::size_t count) noexcept {
    first_lanes<T, Arch>(count).store(to, values);
}

} // namespace statiq::simd

#endif
