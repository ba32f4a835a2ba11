// SPDX-License-Identifier: Apache-2.0
// rejects: broadcast_mismatch<statiq::layer_name<'b', 'r', 'o', 'a', 'd', 'c', 'a', 's', 't'>, 1, 1, 3, 4, 5, 6>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<1, 1, 3> | broadcast<4, 5, 6>;
#else
constexpr auto body = input<1, 1, 3> | broadcast<4, 5, 3>;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
