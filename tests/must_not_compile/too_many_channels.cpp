// SPDX-License-Identifier: Apache-2.0
// rejects: count_exceeds_int<statiq::layer_name<'a'>, 4294967296, 2147483647>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<1, 1, 65536> | named<"a">(depthwise_multiplied<65536>(kernel<1>));
#else
constexpr auto body = input<1, 1, 65536> | named<"a">(depthwise_multiplied<2>(kernel<1>));
#endif

struct net final : network<decltype(body)> {};
