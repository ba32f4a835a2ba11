// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'i', 'n', 'p', 'u', 't'>, 9223372036854775807, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<2147483647, 2147483647, 2147483647> | relu;
#else
constexpr auto body = input<1, 1, 2147483647> | relu;
#endif

struct net final : network<decltype(body)> {};
