// SPDX-License-Identifier: Apache-2.0
// rejects: output_is_an_earlier_layer<statiq::layer_name<'s', 't', 'e', 'm'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | named<"stem">(conv<8>) | relu | from<"stem">;
#else
constexpr auto body = input<4, 5, 3> | named<"stem">(conv<8>) | relu | from<"relu">;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
