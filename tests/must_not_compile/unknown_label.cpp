// SPDX-License-Identifier: Apache-2.0
// rejects: unknown_label<statiq::layer_name<'s', 't', 'e', 'n'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | named<"stem">(conv<8>) | relu | add(identity, from<"sten">);
#else
constexpr auto body = input<4, 5, 3> | named<"stem">(conv<8>) | relu | add(identity, from<"stem">);
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
