// SPDX-License-Identifier: Apache-2.0
// rejects: quantized<Bits> supports 2 to 16 bits
#include <statiq/numeric/number.hpp>

#ifdef STATIQ_REJECT
constexpr int bits = 17;
#else
constexpr int bits = 16;
#endif

static_assert(statiq::quantized<bits>::format.bits == bits);
