// SPDX-License-Identifier: Apache-2.0
// rejects: stride_mismatch<statiq::layer_name<'b', '.', 'a', 'd', 'd'>, statiq::layer_name<'b', '.', 'a', 'd', 'd'>, 2,
// 1>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/require_merged.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 4> | named<"b">(add(conv<4>(kernel<3>, stride<2>), conv<4>(kernel<5>, valid)));
#else
constexpr auto body = input<8, 8, 4> | named<"b">(add(conv<4>(kernel<5>), conv<4>(kernel<3>)));
#endif

struct net final : network<decltype(body)> {};
static_assert(require_merged<net>);
