// SPDX-License-Identifier: Apache-2.0
// rejects: label_too_long<statiq::layer_name<'0', '1', '2', '3'
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<4, 5, 3> | named<"01234567890123456789">(named<"12345678901234567890123456">(conv<8>));
#else
constexpr auto body = input<4, 5, 3> | named<"01234567890123456789">(named<"1234567890123456789012345">(conv<8>));
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
