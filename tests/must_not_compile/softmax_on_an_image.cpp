// SPDX-License-Identifier: Apache-2.0
// rejects: flatten_needed_before<statiq::layer_name<'s', 'o', 'f', 't', 'm', 'a', 'x'>, 4, 5, 3>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | softmax;
#else
constexpr auto body = input<4, 5, 3> | global_average_pool | softmax;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
