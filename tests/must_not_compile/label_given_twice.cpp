// SPDX-License-Identifier: Apache-2.0
// rejects: label_given_twice<statiq::layer_name<'a'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 3> | named<"a">(conv<8>) | named<"a">(conv<8>);
#else
constexpr auto body = input<8, 8, 3> | named<"a">(conv<8>) | named<"b">(conv<8>);
#endif

struct net final : network<decltype(body)> {};
