// SPDX-License-Identifier: Apache-2.0
// rejects: window_exceeds_image<statiq::layer_name<'a'>, 7, 3, 6, 20>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 20, 3> | named<"a">(conv<8>(kernel<4, 3>, dilation<2, 1>, padding<1, 0>));
#else
constexpr auto body = input<5, 20, 3> | named<"a">(conv<8>(kernel<4, 3>, dilation<2, 1>, padding<1, 0>));
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
