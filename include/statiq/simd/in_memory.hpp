// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// A register's worth of values that an instruction reads as its operand, so that they fill no register.
template <class T>
struct in_memory {
    const T* at; ///< need not be aligned
};

/// Whether there are such instructions, and so few registers that they are of use.
template <class Arch>
inline constexpr bool multiplies_in_memory = std::is_base_of_v<xsimd::avx2, register_arch<Arch>>;

} // namespace statiq::simd

#endif
