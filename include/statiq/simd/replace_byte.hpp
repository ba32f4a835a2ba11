// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>

#include <cstddef>
#include <cstdint>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <class R>
inline xsimd::batch<std::int32_t, R> select_bits(xsimd::batch<std::int32_t, R> mask, xsimd::batch<std::int32_t, R> ones,
                                                 xsimd::batch<std::int32_t, R> zeros, any_arch) noexcept {
    return zeros ^ ((zeros ^ ones) & mask);
}

#if XSIMD_WITH_AVX512BW
template <class R>
inline xsimd::batch<std::int32_t, R> select_bits(xsimd::batch<std::int32_t, R> mask, xsimd::batch<std::int32_t, R> ones,
                                                 xsimd::batch<std::int32_t, R> zeros, xsimd::avx512bw) noexcept {
    return _mm512_ternarylogic_epi32(mask, ones, zeros, 0xCA);
}
#endif

} // namespace detail

/// Byte Index of every group of four from `by`, the others from `groups`.
template <std::size_t Index, class Arch, class Byte>
[[nodiscard]] inline batch<Byte, Arch> replace_byte(xsimd::batch<Byte, register_arch<Arch>> groups,
                                                    xsimd::batch<Byte, register_arch<Arch>> by) noexcept {
    static_assert(sizeof(Byte) == 1 && Index < 4);
    using words = batch<std::int32_t, Arch>;
    const words mask(static_cast<std::int32_t>(std::uint32_t{0xFF} << 8 * Index));
    return bit_cast<Byte>(
        detail::select_bits(mask, bit_cast<std::int32_t>(by), bit_cast<std::int32_t>(groups), Arch{}));
}

} // namespace statiq::simd

#endif
