// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a', '.', 'u', 'p', 's', 'a', 'm', 'p', 'l', 'e'>, 6400000000,
// 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 1> | named<"a">(upsample<10000>);
#else
constexpr auto body = input<8, 8, 1> | named<"a">(upsample<100>);
#endif

struct net final : network<decltype(body)> {};
