// SPDX-License-Identifier: Apache-2.0
// rejects: unequal_groups<statiq::layer_name<'b', '.', 'a', 'd', 'd'>, statiq::layer_name<'b', '.', 'a', 'd', 'd'>, 2,
// 3>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/require_merged.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 6> | named<"b">(add(conv<6>(kernel<3>, groups<2>), conv<6>(groups<3>)));
#else
constexpr auto body = input<8, 8, 6> | named<"b">(add(conv<6>(kernel<3>, groups<2>), conv<6>(groups<2>)));
#endif

struct net final : network<decltype(body)> {};
static_assert(require_merged<net>);
