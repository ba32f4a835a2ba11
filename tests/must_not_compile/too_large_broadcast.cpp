// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a', '.', 'b', 'r', 'o', 'a', 'd', 'c', 'a', 's', 't'>, 10000000000,
// 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<1, 1, 1> | named<"a">(broadcast<100000, 100000, 1>);
#else
constexpr auto body = input<1, 1, 1> | named<"a">(broadcast<100, 100, 1>);
#endif

struct net final : network<decltype(body)> {};
