// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

/// A program that links `statiq::compiled` is compiled with STATIQ_COMPILED: kernels are called in the library, and no
/// vector code is compiled here. A source that uses formats which the library lacks defines STATIQ_HEADER_KERNELS, too:
/// it compiles the missing kernels itself, for its own instruction set, as `statiq::statiq` does with all kernels.
#ifdef STATIQ_COMPILED
#ifdef STATIQ_NO_SIMD
#error "statiq: STATIQ_NO_SIMD asks for scalar kernels, and statiq::compiled brings others: link statiq::statiq"
#endif
#ifndef STATIQ_HEADER_KERNELS
#define STATIQ_NO_SIMD
#endif
#endif

/// Defines STATIQ_NO_SIMD where the compiler's target has no instruction set with kernels here: neither SSE2 nor 64-bit
/// NEON. A program defines it to have the scalar code elsewhere too. Nothing includes xsimd then.
#if !defined(STATIQ_NO_SIMD) && !defined(__SSE2__) && !(defined(__aarch64__) && defined(__ARM_NEON))
#define STATIQ_NO_SIMD
#endif

namespace statiq::simd {

/// Whether kernels run in vector registers: in this translation unit's code, or in the library's.
#if defined(STATIQ_NO_SIMD) && !defined(STATIQ_COMPILED)
inline constexpr bool has_vector_kernels = false;
#else
inline constexpr bool has_vector_kernels = true;
#endif

} // namespace statiq::simd
