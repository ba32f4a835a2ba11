// SPDX-License-Identifier: Apache-2.0
// rejects: misplaced_input<statiq::layer_name<>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = identity;
#else
constexpr auto body = input<4, 5, 3> | identity;
#endif

struct net final : network<decltype(body)> {};
#ifndef STATIQ_REJECT
static_assert(node_count<net> == 1);
#else
constexpr auto nodes = net::nodes;
#endif
