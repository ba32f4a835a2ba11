// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a'>, 3600000000, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<30000, 30000, 1> | named<"a">(conv<4>(kernel<30000>));
#else
constexpr auto body = input<300, 300, 1> | named<"a">(conv<4>(kernel<300>));
#endif

struct net final : network<decltype(body)> {};
