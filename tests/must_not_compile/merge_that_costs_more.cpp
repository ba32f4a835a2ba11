// SPDX-License-Identifier: Apache-2.0
// rejects: merging_costs_more<statiq::layer_name<'b', '.', 'a', 'd', 'd'>, statiq::layer_name<'b', '.', 'a', 'd', 'd'>,
// 36864L?, 10240L?>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/require_merged.hpp>

using namespace statiq;

// A bottleneck of 2 channels needs 8 * 8 * (8 * 2 + 9 * 2 * 8) products, the 3 x 3 that it is 8 * 8 * 9 * 8 * 8.
#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 8> | named<"b">(add(conv<2>(without_bias) | conv<8>(kernel<3>), identity));
#else
constexpr auto body = input<8, 8, 8> | named<"b">(add(conv<8>(without_bias) | conv<8>(kernel<3>), identity));
#endif

struct net final : network<decltype(body)> {};
static_assert(require_merged<net>);
