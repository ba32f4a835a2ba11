// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/simd/arch.hpp>

#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::simd {

/// A register of values that an instruction reads as its memory operand.
template <class T>
struct memory_operand {
    const T* at; ///< need not be aligned
};

/// Whether the instruction set has such instructions, and few enough registers to make them useful.
template <class Arch>
inline constexpr bool has_memory_operands = std::is_base_of_v<xsimd::avx2, register_arch<Arch>>;

} // namespace statiq::simd

#endif
