// SPDX-License-Identifier: Apache-2.0
// rejects: layer_is_not_linear<statiq::layer_name<'b', '.', 'a', 'd', 'd'>, statiq::layer_name<'b', '.', 'r', 'e', 'l',
// 'u'> *>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/require_merged.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 4> | named<"b">(add(conv<4>(kernel<3>) | batch_norm | relu, identity));
#else
constexpr auto body = input<8, 8, 4> | named<"b">(add(conv<4>(kernel<3>) | batch_norm, identity) | relu);
#endif

struct net final : network<decltype(body)> {};
static_assert(require_merged<net>);
