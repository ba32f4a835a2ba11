// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a'>, 4000000008, 2147483647>
// Padding makes 8 rows of 8 + (window of 2 x 2000000000 + 1 rows) - 1.
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 1> | named<"a">(conv<1>(kernel<3>, dilation<2000000000>));
#else
constexpr auto body = input<8, 8, 1> | named<"a">(conv<1>(kernel<3>, dilation<200>));
#endif

struct net final : network<decltype(body)> {};
