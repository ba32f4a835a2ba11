// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: two options of byte_image decide the same; write one of them
#include <statiq/passes/byte_values.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using option = channel_means<127.5>;
#else
using option = channel_deviations<127.5>;
#endif
static_assert(byte_image<channel_means<127.5>, option>::values.zero_point() == 128);
