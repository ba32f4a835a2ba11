// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a'>, 2147483655, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 1> | named<"a">(conv<1>(padding_sides<2147483647, 0, 0, 0>));
#else
constexpr auto body = input<8, 8, 1> | named<"a">(conv<1>(padding_sides<200, 0, 0, 0>));
#endif

struct net final : network<decltype(body)> {};
