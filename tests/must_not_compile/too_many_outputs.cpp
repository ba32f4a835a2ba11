// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a'>, 6400000000, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<40000, 40000, 1> | named<"a">(conv<4>);
#else
constexpr auto body = input<40000, 40000, 1> | named<"a">(conv<1>);
#endif

struct net final : network<decltype(body)> {};
