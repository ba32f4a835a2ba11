// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'i', 'n', 'p', 'u', 't'>, 4900000000, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<70000, 70000, 1> | flatten;
#else
constexpr auto body = input<7000, 7000, 1> | flatten;
#endif

struct net final : network<decltype(body)> {};
