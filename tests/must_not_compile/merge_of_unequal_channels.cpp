// SPDX-License-Identifier: Apache-2.0
// rejects: channel_mismatch<statiq::layer_name<'b', '.', 'a', 'd', 'd'>, 6, 4>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/require_merged.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 4> | named<"b">(add(conv<6>(kernel<3>) | batch_norm, batch_norm));
#else
constexpr auto body = input<8, 8, 4> | named<"b">(add(conv<4>(kernel<3>) | batch_norm, batch_norm));
#endif

struct net final : network<decltype(body)> {};
static_assert(require_merged<net>);
