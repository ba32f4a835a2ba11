// SPDX-License-Identifier: Apache-2.0
// rejects: a clamp's lowest value is at most its highest
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<1, 1, 8> | clamp<2.0, 1.0>;
#else
constexpr auto body = input<1, 1, 8> | clamp<1.0, 2.0>;
#endif
struct net final : network<decltype(body)> {};
static_assert(node_count<net> == 2);
