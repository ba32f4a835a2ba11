// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

namespace detail {

template <class R>
inline xsimd::batch<float, R> divide(xsimd::batch<float, R> x, xsimd::batch<float, R> y, any_arch) noexcept {
    return x / y;
}

#if XSIMD_WITH_NEON64
// xsimd 8 multiplies by an estimate of the reciprocal, as 32-bit NEON must.
template <class R>
inline xsimd::batch<float, R> divide(xsimd::batch<float, R> x, xsimd::batch<float, R> y, xsimd::neon64) noexcept {
    return vdivq_f32(x, y);
}
#endif

} // namespace detail

/// x / y in every lane, correctly rounded.
template <class Arch>
[[nodiscard]] inline batch<float, Arch> divide(batch<float, Arch> x, batch<float, Arch> y) noexcept {
    return detail::divide(x, y, Arch{});
}

} // namespace statiq::simd

#endif
