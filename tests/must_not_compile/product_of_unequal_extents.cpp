// SPDX-License-Identifier: Apache-2.0
// rejects: extent_mismatch<statiq::layer_name<'m', 'u', 'l', 't', 'i', 'p', 'l', 'y'>, 4, 4, 2, 2>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 4, 8> | multiply(identity, max_pool);
#else
constexpr auto body = input<4, 4, 8> | multiply(identity, global_average_pool);
#endif
struct net final : network<decltype(body)> {};
static_assert(node_count<net> == 3);
