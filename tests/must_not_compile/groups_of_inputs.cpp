// SPDX-License-Identifier: Apache-2.0
// rejects: group_mismatch<statiq::layer_name<'a'>, 10, 12, 4>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 10> | named<"a">(conv<12>(groups<4>));
#else
constexpr auto body = input<8, 8, 10> | named<"a">(conv<12>(groups<2>));
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
