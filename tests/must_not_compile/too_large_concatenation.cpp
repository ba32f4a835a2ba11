// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a', '.', 'c', 'o', 'n', 'c', 'a', 't'>, 3000000000, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<1, 1, 1500000000> | named<"a">(concat(identity, relu));
#else
constexpr auto body = input<1, 1, 1000000000> | named<"a">(concat(identity, relu));
#endif

struct net final : network<decltype(body)> {};
