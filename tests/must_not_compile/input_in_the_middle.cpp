// SPDX-License-Identifier: Apache-2.0
// rejects: misplaced_input<statiq::layer_name<'s', 'e', 'c', 'o', 'n', 'd', '.', 'i', 'n', 'p', 'u', 't'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | relu | named<"second">(input<4, 5, 3>);
#else
constexpr auto body = input<4, 5, 3> | relu | named<"second">(relu);
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
