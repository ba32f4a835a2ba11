// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a', '.', 'p', 'a', 'd'>, 17179869240, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 1> | named<"a">(pad<2147483647, 0, 0, 0>);
#else
constexpr auto body = input<8, 8, 1> | named<"a">(pad<20, 0, 0, 0>);
#endif

struct net final : network<decltype(body)> {};
