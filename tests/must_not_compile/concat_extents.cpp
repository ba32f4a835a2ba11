// SPDX-License-Identifier: Apache-2.0
// rejects: extent_mismatch<statiq::layer_name<'c', 'o', 'n', 'c', 'a', 't'>, 8, 9, 8, 8>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 9, 3> | concat(conv<5>, max_pool(kernel<1, 2>, stride<1>));
#else
constexpr auto body = input<8, 9, 3> | concat(conv<5>, max_pool(kernel<1, 2>, stride<1>, same));
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
