// SPDX-License-Identifier: Apache-2.0
// rejects: too_many_branches<statiq::layer_name<'c', 'o', 'n', 'c', 'a', 't'>, 8, 9>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | concat(relu, relu, relu, relu, relu, relu, relu, relu, relu);
#else
constexpr auto body = input<4, 5, 3> | concat(relu, relu, relu, relu, relu, relu, relu, concat(relu, relu));
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
