// SPDX-License-Identifier: Apache-2.0
// rejects with: -DSTATIQ_COMPILED -DSTATIQ_NO_SIMD
// rejects: .?statiq: STATIQ_NO_SIMD asks for scalar kernels, and statiq::compiled brings others
#ifdef STATIQ_REJECT
#include <statiq/kernels/add.hpp>
#endif
