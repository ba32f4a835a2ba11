// SPDX-License-Identifier: Apache-2.0
// rejects: label_given_twice<statiq::layer_name<'s', '.', 'a'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 3> | named<"s">(named<"a">(relu) | conv<3> | named<"a">(relu6));
#else
constexpr auto body = input<8, 8, 3> | named<"s">(named<"a">(relu) | conv<3> | named<"b">(relu6));
#endif

struct net final : network<decltype(body)> {};
