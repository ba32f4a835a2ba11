// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a quantization group holds at least one value
#include <statiq/numeric/number.hpp>

#ifdef STATIQ_REJECT
using granularity = statiq::per_group<0>;
#else
using granularity = statiq::per_group<1>;
#endif

static_assert(statiq::quantized<4, statiq::symmetric, granularity>::format.bits == 4);
