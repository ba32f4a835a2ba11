// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <bit>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// The same bits as lanes of To. (The template argument of xsimd's own function changed its meaning between releases.)
template <class To, class From, class Registers>
[[nodiscard]] inline xsimd::batch<To, Registers> bit_cast(const xsimd::batch<From, Registers>& from) noexcept {
    return std::bit_cast<xsimd::batch<To, Registers>>(from);
}

} // namespace statiq::simd

#endif
