// SPDX-License-Identifier: Apache-2.0
// rejects: layer_is_read_elsewhere<statiq::layer_name<'b', '.', 'a', 'd', 'd'>, statiq::layer_name<'b', '.', '3', 'x',
// '3'>, 2L?, 1L?>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/require_merged.hpp>

using namespace statiq;

constexpr auto block = named<"b">(add(named<"3x3">(conv<4>(kernel<3>)), identity));
#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 4> | block | relu | concat(identity, from<"b.3x3">);
#else
constexpr auto body = input<8, 8, 4> | block | relu | concat(identity, from<"relu">);
#endif

struct net final : network<decltype(body)> {};
static_assert(require_merged<net>);
