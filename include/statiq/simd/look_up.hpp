// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>
#include <statiq/simd/unroll.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

/// A table in memory.
template <class Arch>
class memory_table {
    using bytes = batch<std::uint8_t, Arch>;

  public:
    explicit memory_table(const std::uint8_t* table) noexcept { std::memcpy(table_, table, sizeof(table_)); }

    [[nodiscard]] bytes operator()(bytes indices) const noexcept {
        alignas(sizeof(bytes)) std::uint8_t lanes[bytes::size];
        indices.store_aligned(lanes);
        for (std::uint8_t& lane : lanes) lane = table_[lane];
        return bytes::load_aligned(lanes);
    }

  private:
    std::uint8_t table_[256];
};
template <class Arch>
memory_table<Arch> table_of(any_arch);

#if XSIMD_WITH_SSSE3

/// The same 16 bytes in every part of 128 bits.
template <class R>
inline xsimd::batch<std::int8_t, R> load_row(const std::uint8_t* from, xsimd::ssse3) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
/// Byte index & 15 of the row; 0 where the index is negative.
template <class R>
inline xsimd::batch<std::int8_t, R> look_up_row(xsimd::batch<std::int8_t, R> row, xsimd::batch<std::int8_t, R> index,
                                                xsimd::ssse3) noexcept {
    return _mm_shuffle_epi8(row, index);
}
template <class R>
inline xsimd::batch<std::int8_t, R> subtract_saturated(xsimd::batch<std::int8_t, R> a, xsimd::batch<std::int8_t, R> b,
                                                       xsimd::ssse3) noexcept {
    return _mm_subs_epi8(a, b);
}
#if XSIMD_WITH_AVX2
template <class R>
inline xsimd::batch<std::int8_t, R> load_row(const std::uint8_t* from, xsimd::avx2) noexcept {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
template <class R>
inline xsimd::batch<std::int8_t, R> look_up_row(xsimd::batch<std::int8_t, R> row, xsimd::batch<std::int8_t, R> index,
                                                xsimd::avx2) noexcept {
    return _mm256_shuffle_epi8(row, index);
}
template <class R>
inline xsimd::batch<std::int8_t, R> subtract_saturated(xsimd::batch<std::int8_t, R> a, xsimd::batch<std::int8_t, R> b,
                                                       xsimd::avx2) noexcept {
    return _mm256_subs_epi8(a, b);
}
#endif
#if XSIMD_WITH_AVX512BW
template <class R>
inline xsimd::batch<std::int8_t, R> load_row(const std::uint8_t* from, xsimd::avx512bw) noexcept {
    // Masked: GCC 12 warns of the undefined operand that its own unmasked intrinsic passes.
    return _mm512_maskz_broadcast_i32x4(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
template <class R>
inline xsimd::batch<std::int8_t, R> look_up_row(xsimd::batch<std::int8_t, R> row, xsimd::batch<std::int8_t, R> index,
                                                xsimd::avx512bw) noexcept {
    return _mm512_shuffle_epi8(row, index);
}
template <class R>
inline xsimd::batch<std::int8_t, R> subtract_saturated(xsimd::batch<std::int8_t, R> a, xsimd::batch<std::int8_t, R> b,
                                                       xsimd::avx512bw) noexcept {
    return _mm512_subs_epi8(a, b);
}
#endif

/// A table of 16 rows of 16 bytes. Step k looks the index less 16 k up in d(k), which gives 0 where that is negative;
/// the results of the 16 steps are xored.
/// An index of row r < 8 is negative in the steps behind r. With d(0) = row(0) and d(k) = row(k) ^ row(k - 1), steps 0
/// to r give row(r). An index of row r = 8 + a is negative up to step a, and again behind step r. Steps a + 1 to r give
/// row(r) ^ row(a), where row(a) is what d(0) to d(a) give together: so d(8 + k) holds d(k), too.
/// From step 9 on, the subtraction saturates: what has become negative stays so.
template <class Arch>
class row_table {
    using signed_bytes = batch<std::int8_t, Arch>;
    static constexpr std::size_t rows = 16;

  public:
    explicit row_table(const std::uint8_t* table) noexcept {
        for (std::size_t k = 0; k < rows; ++k) {
            d_[k] = load_row<register_arch<Arch>>(table + 16 * k, Arch{});
            if (k > 0) d_[k] = d_[k] ^ load_row<register_arch<Arch>>(table + 16 * (k - 1), Arch{});
            if (k >= 8) d_[k] = d_[k] ^ d_[k - 8];
        }
    }

    [[nodiscard]] [[gnu::always_inline]] batch<std::uint8_t, Arch>
    operator()(batch<std::uint8_t, Arch> indices) const noexcept {
        const signed_bytes sixteen(std::int8_t{16});
        signed_bytes index = bit_cast<std::int8_t>(indices);
        signed_bytes result = look_up_row(d_[0], index, Arch{});
        unroll<rows - 1>([&](auto before) {
            constexpr std::size_t k = before + 1;
            index = k <= 8 ? index - sixteen : subtract_saturated(index, sixteen, Arch{});
            result = result ^ look_up_row(d_[k], index, Arch{});
        });
        return bit_cast<std::uint8_t>(result);
    }

  private:
    std::array<signed_bytes, rows> d_;
};
template <class Arch>
row_table<Arch> table_of(xsimd::ssse3);
#if XSIMD_WITH_AVX2
template <class Arch>
row_table<Arch> table_of(xsimd::avx2);
#endif

#if XSIMD_WITH_AVX512BW
#if !defined(__AVX512VBMI__)
template <class Arch>
row_table<Arch> table_of(xsimd::avx512bw);
#else

/// Two instructions look up 128 bytes each by the lower seven bits of the index, the eighth chooses between them.
template <class Arch>
class half_table {
  public:
    explicit half_table(const std::uint8_t* table) noexcept {
        for (std::size_t k = 0; k < 4; ++k) quarter_[k] = _mm512_loadu_si512(table + 64 * k);
    }

    [[nodiscard]] [[gnu::always_inline]] batch<std::uint8_t, Arch>
    operator()(batch<std::uint8_t, Arch> indices) const noexcept {
        const __m512i low = _mm512_permutex2var_epi8(quarter_[0], indices, quarter_[1]);
        const __m512i high = _mm512_permutex2var_epi8(quarter_[2], indices, quarter_[3]);
        return _mm512_mask_blend_epi8(_mm512_movepi8_mask(indices), low, high);
    }

  private:
    __m512i quarter_[4];
};
template <class Arch>
half_table<Arch> table_of(xsimd::avx512bw);

#endif
#endif
#endif

#if XSIMD_WITH_NEON64

/// An instruction looks up 64 bytes of the table; an index beyond them leaves what earlier ones have found.
template <class Arch>
class quarter_table {
  public:
    explicit quarter_table(const std::uint8_t* table) noexcept {
        for (std::size_t k = 0; k < 4; ++k)
            for (std::size_t row = 0; row < 4; ++row) quarter_[k].val[row] = vld1q_u8(table + 64 * k + 16 * row);
    }

    [[nodiscard]] [[gnu::always_inline]] batch<std::uint8_t, Arch>
    operator()(batch<std::uint8_t, Arch> indices) const noexcept {
        const uint8x16_t sixty_four = vdupq_n_u8(64);
        uint8x16_t index = indices;
        uint8x16_t result = vqtbl4q_u8(quarter_[0], index);
        for (std::size_t k = 1; k < 4; ++k) {
            index = vsubq_u8(index, sixty_four);
            result = vqtbx4q_u8(result, quarter_[k], index);
        }
        return result;
    }

  private:
    uint8x16x4_t quarter_[4];
};
template <class Arch>
quarter_table<Arch> table_of(xsimd::neon64);

#endif

} // namespace detail

/// A table of 256 bytes, made of a pointer to them: lane i of table(indices) is byte indices[i] of the table.
template <class Arch>
using byte_table = decltype(detail::table_of<Arch>(Arch{}));

/// Whether there are instructions that look bytes up. Elsewhere a loop over memory is faster than `byte_table`.
template <class Arch>
inline constexpr bool looks_up_bytes = !std::is_same_v<byte_table<Arch>, detail::memory_table<Arch>>;

} // namespace statiq::simd

#endif
