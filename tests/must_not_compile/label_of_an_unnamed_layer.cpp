// SPDX-License-Identifier: Apache-2.0
// rejects: label_given_twice<statiq::layer_name<'r', 'e', 'l', 'u'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto body = input<8, 8, 3> | relu | named<"relu">(conv<8>);
#else
constexpr auto body = input<8, 8, 3> | relu | named<"conv">(conv<8>);
#endif

struct net final : network<decltype(body)> {};
