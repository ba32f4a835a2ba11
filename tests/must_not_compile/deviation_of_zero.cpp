// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a channel's deviation is positive
#include <statiq/passes/byte_values.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using option = channel_deviations<0.0>;
#else
using option = channel_deviations<1.0>;
#endif
static_assert(byte_image<option>::values.zero_point() == 0);
