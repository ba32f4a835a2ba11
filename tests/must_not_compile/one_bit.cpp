// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: quantized<Bits> supports 2 to 16 bits
#include <statiq/numeric/number.hpp>

#ifdef STATIQ_REJECT
constexpr int bits = 1;
#else
constexpr int bits = 2;
#endif

static_assert(statiq::quantized<bits>::format.bits == bits);
