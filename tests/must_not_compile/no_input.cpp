// SPDX-License-Identifier: Apache-2.0
// rejects: misplaced_input<statiq::layer_name<'r', 'e', 'l', 'u'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = relu | conv<8>;
#else
constexpr auto body = input<4, 5, 3> | relu | conv<8>;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
