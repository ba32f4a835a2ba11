// SPDX-License-Identifier: Apache-2.0
// rejects: padding_exceeds_pool<statiq::layer_name<'m', 'a', 'x', '_', 'p', 'o', 'o', 'l'>, 2, 3, 3, 3>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<9, 9, 3> | max_pool(kernel<3>, stride<1>, padding<2, 3>);
#else
constexpr auto body = input<9, 9, 3> | max_pool(kernel<3>, stride<1>, padding<2, 2>);
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
