// SPDX-License-Identifier: Apache-2.0
#pragma once

/// For programs that link `statiq::compiled` and use formats that the library lacks (`kernel_is_not_compiled`).
/// Included before any other header of statiq, it has the missing kernels compiled with the program, for the program's
/// own instruction set, as `statiq::statiq` does with all kernels.
#ifdef STATIQ_COMPILED
#ifdef STATIQ_NO_SIMD
#error "statiq: include <statiq/kernels/header_kernels.hpp> before any other header of statiq"
#endif
#define STATIQ_HEADER_KERNELS
#endif

#include <statiq/simd/target.hpp>
