// SPDX-License-Identifier: Apache-2.0
// rejects: unknown_label<statiq::layer_name<'l', 'a', 's', 't'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | concat(from<"last">, relu) | named<"last">(conv<8>);
#else
constexpr auto body = input<4, 5, 3> | named<"last">(conv<8>) | concat(from<"last">, relu);
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
