// SPDX-License-Identifier: Apache-2.0
// rejects: pad_before_average_pool<statiq::layer_name<'a', '.', 'a', 'v', 'e', 'r', 'a', 'g', 'e', '_', 'p', 'o', 'o',
// 'l'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = with_defaults<pytorch>(input<8, 8, 3> | named<"a">(average_pool(padding<1>)));
#else
constexpr auto body = with_defaults<pytorch>(input<8, 8, 3> | named<"a">(pad<1, 1, 1, 1> | average_pool));
#endif

struct net final : network<decltype(body)> {};
