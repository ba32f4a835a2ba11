// SPDX-License-Identifier: Apache-2.0
// rejects: extent_mismatch<statiq::layer_name<'a', 'd', 'd'>, 8, 9, 4, 5>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 9, 3> | add(conv<3>, conv<3>(stride<2>)) | relu;
#else
constexpr auto body = input<8, 9, 3> | add(conv<3>, conv<3>(stride<1>)) | relu;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
