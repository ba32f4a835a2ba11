// SPDX-License-Identifier: Apache-2.0
// rejects: channel_mismatch<statiq::layer_name<'b', 'l', 'o', 'c', 'k', '.', 'a', 'd', 'd'>, 32, 16>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 3> | named<"block">(add(conv<32>(kernel<3>), conv<16>));
#else
constexpr auto body = input<8, 8, 3> | named<"block">(add(conv<32>(kernel<3>), conv<32>));
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
