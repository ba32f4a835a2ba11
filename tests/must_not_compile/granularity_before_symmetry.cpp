// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: symmetry comes before granularity: quantized<8, symmetric, per_channel>
#include <statiq/numeric/number.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using number = quantized<8, per_channel, symmetric>;
#else
using number = quantized<8, symmetric, per_channel>;
#endif

static_assert(!number::format.floating);
