// SPDX-License-Identifier: Apache-2.0
// rejects: misplaced_input<statiq::layer_name<'c', 'o', 'n', 'v'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = add(named<"conv">(conv<8>), relu);
#else
constexpr auto body = input<4, 5, 8> | add(named<"conv">(conv<8>), relu);
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
