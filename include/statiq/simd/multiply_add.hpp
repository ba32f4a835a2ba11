// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <class R>
inline xsimd::batch<float, R> multiply_add(xsimd::batch<float, R> x, xsimd::batch<float, R> y, xsimd::batch<float, R> z,
                                           any_arch) noexcept {
    return xsimd::fma(x, y, z);
}

#if XSIMD_WITH_AVX512F
// xsimd 8 multiplies and adds here. GCC contracts that to one instruction, Clang does not: half the speed.
template <class R>
inline xsimd::batch<float, R> multiply_add(xsimd::batch<float, R> x, xsimd::batch<float, R> y, xsimd::batch<float, R> z,
                                           xsimd::avx512f) noexcept {
    return _mm512_fmadd_ps(x, y, z);
}
#endif

} // namespace detail

/// x * y + z in every lane; the product is not rounded where the instruction set has an instruction for both.
template <class Arch>
[[nodiscard]] inline batch<float, Arch> multiply_add(batch<float, Arch> x, batch<float, Arch> y,
                                                     batch<float, Arch> z) noexcept {
    return detail::multiply_add(x, y, z, Arch{});
}

} // namespace statiq::simd

#endif
