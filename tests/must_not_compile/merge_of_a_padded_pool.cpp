// SPDX-License-Identifier: Apache-2.0
// rejects: average_pool_leaves_image<statiq::layer_name<'b', '.', 'a', 'd', 'd'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/require_merged.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto pool = average_pool(kernel<3>, stride<1>, same);
#else
constexpr auto pool = pad<1, 1, 1, 1> | average_pool(kernel<3>, stride<1>);
#endif

constexpr auto body = input<8, 8, 4> | named<"b">(add(conv<4>(kernel<3>), pool));
struct net final : network<decltype(body)> {};
static_assert(require_merged<net>);
