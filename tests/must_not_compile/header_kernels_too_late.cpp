// SPDX-License-Identifier: Apache-2.0
// rejects with: -DSTATIQ_COMPILED -USTATIQ_NO_SIMD
// rejects: .?statiq: include <statiq/kernels/header_kernels.hpp> before any other header of statiq
#ifdef STATIQ_REJECT
#include <statiq/kernels/add.hpp>
#include <statiq/kernels/header_kernels.hpp>
#else
#include <statiq/kernels/add.hpp>
#include <statiq/kernels/header_kernels.hpp>
#endif
