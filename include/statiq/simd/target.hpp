// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

/// Defines STATIQ_NO_SIMD where the compiler's target has no instruction set with kernels here: neither SSE2 nor 64-bit
/// NEON. A program defines it to have the scalar code elsewhere too. Nothing includes xsimd then.
#if !defined(STATIQ_NO_SIMD) && !defined(__SSE2__) && !(defined(__aarch64__) && defined(__ARM_NEON))
#define STATIQ_NO_SIMD
#endif
