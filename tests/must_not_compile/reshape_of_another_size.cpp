// SPDX-License-Identifier: Apache-2.0
// rejects: reshape_mismatch<statiq::layer_name<'r', 'e', 's', 'h', 'a', 'p', 'e'>, 60, 61>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | reshape<1, 61, 1>;
#else
constexpr auto body = input<4, 5, 3> | reshape<1, 60, 1>;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
