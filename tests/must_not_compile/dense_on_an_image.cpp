// SPDX-License-Identifier: Apache-2.0
// rejects: flatten_needed_before<statiq::layer_name<'f', 'c'>, 4, 5, 3>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | named<"fc">(dense<10>);
#else
constexpr auto body = input<4, 5, 3> | flatten | named<"fc">(dense<10>);
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
