// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a', '.', 'r', 'e', 's', 'h', 'a', 'p', 'e'>, 4294967296, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 4, 1> | named<"a">(reshape<65536, 65536, 1>);
#else
constexpr auto body = input<4, 4, 1> | named<"a">(reshape<16, 1, 1>);
#endif

struct net final : network<decltype(body)> {};
