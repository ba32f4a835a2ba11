// SPDX-License-Identifier: Apache-2.0
// rejects: an upsampling repeats a pixel at least once
#include <statiq/graph/network.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 3> | upsample<0, 2>;
#else
constexpr auto body = input<8, 8, 3> | upsample<1, 2>;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
