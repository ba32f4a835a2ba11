// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'f', 'c'>, 3500000000, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<1, 1, 70000> | named<"fc">(dense<50000>);
#else
constexpr auto body = input<1, 1, 7000> | named<"fc">(dense<5000>);
#endif

struct net final : network<decltype(body)> {};
