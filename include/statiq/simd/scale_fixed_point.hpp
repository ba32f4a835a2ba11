// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/fixed_point.hpp>
#include <statiq/simd/arch.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <rounding_steps Steps, class B>
inline B scale_fixed_point(B x, B multiplier, B shift, any_arch) noexcept {
    alignas(sizeof(B)) std::int32_t xs[B::size];
    alignas(sizeof(B)) std::int32_t multipliers[B::size];
    alignas(sizeof(B)) std::int32_t shifts[B::size];
    x.store_aligned(xs);
    multiplier.store_aligned(multipliers);
    shift.store_aligned(shifts);
    for (std::size_t i = 0; i < B::size; ++i)
        xs[i] = multiply_by_quantized_multiplier<Steps>(xs[i], {multipliers[i], shifts[i]});
    return B::load_aligned(xs);
}

// The products of even lanes and of odd lanes have 64 bits each; afterwards the even results move down, the odd ones
// stay in the upper halves.

#if XSIMD_WITH_AVX2
[[gnu::always_inline]] inline __m256i shift_right(__m256i x, __m256i count) noexcept {
    // There is no arithmetic shift of 64 bits: shift x + 2^63, which is not negative, and take 2^63 >> count off again.
    const __m256i sign = _mm256_set1_epi64x((std::numeric_limits<std::int64_t>::min)());
    return _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_xor_si256(x, sign), count), _mm256_srlv_epi64(sign, count));
}
[[gnu::always_inline]] inline __m256i saturate_int32(__m256i x) noexcept {
    const __m256i low = _mm256_set1_epi64x((std::numeric_limits<std::int32_t>::min)());
    const __m256i high = _mm256_set1_epi64x((std::numeric_limits<std::int32_t>::max)());
    x = _mm256_blendv_epi8(x, low, _mm256_cmpgt_epi64(low, x));
    return _mm256_blendv_epi8(x, high, _mm256_cmpgt_epi64(x, high));
}

template <rounding_steps Steps, class B>
inline B scale_fixed_point(B x, B multiplier, B shift, xsimd::avx2) noexcept {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i odd_multiplier = _mm256_srli_epi64(multiplier, 32);
    if constexpr (Steps == rounding_steps::one) {
        const __m256i right = _mm256_sub_epi32(_mm256_set1_epi32(31), shift);
        const auto scale = [](__m256i product, __m256i count) __attribute__((always_inline)) {
            const __m256i half =
                _mm256_sllv_epi64(_mm256_set1_epi64x(1), _mm256_sub_epi64(count, _mm256_set1_epi64x(1)));
            return saturate_int32(shift_right(_mm256_add_epi64(product, half), count));
        };
        const __m256i even = scale(_mm256_mul_epi32(x, multiplier), _mm256_blend_epi32(right, zero, 0xaa));
        const __m256i odd =
            scale(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), odd_multiplier), _mm256_srli_epi64(right, 32));
        return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
    } else {
        const __m256i left = _mm256_max_epi32(shift, zero);
        const __m256i right = _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero);
        const __m256i high = _mm256_srav_epi32(_mm256_set1_epi32((std::numeric_limits<std::int32_t>::max)()), left);
        const __m256i low = _mm256_srav_epi32(_mm256_set1_epi32((std::numeric_limits<std::int32_t>::min)()), left);
        const __m256i shifted = _mm256_sllv_epi32(_mm256_min_epi32(_mm256_max_epi32(x, low), high), left);
        const __m256i nudge = _mm256_set1_epi64x(std::int64_t{1} << 30);
        const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(shifted, multiplier), nudge);
        const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(shifted, 32), odd_multiplier), nudge);
        const __m256i product = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
        const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), right), _mm256_set1_epi32(1));
        const __m256i remainder = _mm256_and_si256(product, mask);
        const __m256i threshold = _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(product, 31));
        const __m256i up = _mm256_cmpgt_epi32(remainder, threshold);
        return _mm256_sub_epi32(_mm256_srav_epi32(product, right), up);
    }
}
#endif

#if XSIMD_WITH_AVX512BW
// Masked for the reason given in simd/clamp.hpp.
template <rounding_steps Steps, class B>
inline B scale_fixed_point(B x, B multiplier, B shift, xsimd::avx512bw) noexcept {
    constexpr __mmask16 all = 0xffff;
    constexpr __mmask16 odds = 0xaaaa;
    constexpr __mmask8 pairs = 0xff;
    const __m512i zero = _mm512_setzero_si512();
    const __m512i odd_multiplier = _mm512_maskz_srli_epi64(pairs, multiplier, 32);
    if constexpr (Steps == rounding_steps::one) {
        const __m512i right = _mm512_sub_epi32(_mm512_set1_epi32(31), shift);
        const auto scale = [](__m512i product, __m512i count) __attribute__((always_inline)) {
            const __m512i half =
                _mm512_maskz_sllv_epi64(pairs, _mm512_set1_epi64(1), _mm512_sub_epi64(count, _mm512_set1_epi64(1)));
            const __m512i scaled = _mm512_maskz_srav_epi64(pairs, _mm512_add_epi64(product, half), count);
            const __m512i low = _mm512_set1_epi64((std::numeric_limits<std::int32_t>::min)());
            const __m512i high = _mm512_set1_epi64((std::numeric_limits<std::int32_t>::max)());
            return _mm512_maskz_min_epi64(pairs, _mm512_maskz_max_epi64(pairs, scaled, low), high);
        };
        const __m512i even =
            scale(_mm512_maskz_mul_epi32(pairs, x, multiplier), _mm512_mask_mov_epi32(right, odds, zero));
        const __m512i odd = scale(_mm512_maskz_mul_epi32(pairs, _mm512_maskz_srli_epi64(pairs, x, 32), odd_multiplier),
                                  _mm512_maskz_srli_epi64(pairs, right, 32));
        return _mm512_mask_mov_epi32(even, odds, _mm512_maskz_slli_epi64(pairs, odd, 32));
    } else {
        const __m512i left = _mm512_maskz_max_epi32(all, shift, zero);
        const __m512i right = _mm512_maskz_max_epi32(all, _mm512_sub_epi32(zero, shift), zero);
        const __m512i high =
            _mm512_maskz_srav_epi32(all, _mm512_set1_epi32((std::numeric_limits<std::int32_t>::max)()), left);
        const __m512i low =
            _mm512_maskz_srav_epi32(all, _mm512_set1_epi32((std::numeric_limits<std::int32_t>::min)()), left);
        const __m512i shifted =
            _mm512_maskz_sllv_epi32(all, _mm512_maskz_min_epi32(all, _mm512_maskz_max_epi32(all, x, low), high), left);
        const __m512i nudge = _mm512_set1_epi64(std::int64_t{1} << 30);
        const __m512i even = _mm512_add_epi64(_mm512_maskz_mul_epi32(pairs, shifted, multiplier), nudge);
        const __m512i odd = _mm512_add_epi64(
            _mm512_maskz_mul_epi32(pairs, _mm512_maskz_srli_epi64(pairs, shifted, 32), odd_multiplier), nudge);
        const __m512i product = _mm512_mask_mov_epi32(_mm512_maskz_srli_epi64(pairs, even, 31), odds,
                                                      _mm512_maskz_slli_epi64(pairs, odd, 1));
        const __m512i one = _mm512_set1_epi32(1);
        const __m512i mask = _mm512_sub_epi32(_mm512_maskz_sllv_epi32(all, one, right), one);
        const __m512i remainder = _mm512_and_si512(product, mask);
        const __m512i threshold =
            _mm512_sub_epi32(_mm512_maskz_srli_epi32(all, mask, 1), _mm512_maskz_srai_epi32(all, product, 31));
        const __m512i floor = _mm512_maskz_srav_epi32(all, product, right);
        return _mm512_mask_add_epi32(floor, _mm512_cmpgt_epi32_mask(remainder, threshold), floor, one);
    }
}
#endif

} // namespace detail

/// multiply_by_quantized_multiplier<Steps>(x, {multiplier, shift}) in every lane, exactly. multiplier >= 0, shift in
/// [-31, 30].
template <class Arch, rounding_steps Steps>
[[nodiscard]] inline batch<std::int32_t, Arch> scale_fixed_point(batch<std::int32_t, Arch> x,
                                                                 batch<std::int32_t, Arch> multiplier,
                                                                 batch<std::int32_t, Arch> shift) noexcept {
    return detail::scale_fixed_point<Steps>(x, multiplier, shift, Arch{});
}

} // namespace statiq::simd

#endif
