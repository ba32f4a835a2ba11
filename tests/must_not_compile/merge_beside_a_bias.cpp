// SPDX-License-Identifier: Apache-2.0
// rejects: padding_beside_bias<statiq::layer_name<'b', '.', 'a', 'd', 'd'>, statiq::layer_name<'b', '.', '3', 'x', '3'>
// *>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/require_merged.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto first = conv<4>;
#else
constexpr auto first = conv<4>(without_bias);
#endif

constexpr auto body = input<8, 8, 4> | named<"b">(add(conv<4>(kernel<3>), first | named<"3x3">(conv<4>(kernel<3>))));
struct net final : network<decltype(body)> {};
static_assert(require_merged<net>);
