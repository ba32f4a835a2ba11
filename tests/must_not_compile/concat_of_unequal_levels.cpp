// SPDX-License-Identifier: Apache-2.0
// rejects: extent_mismatch<statiq::layer_name<'n', 'e', 'c', 'k', '.', 'c', 'o', 'n', 'c', 'a', 't'>, 24, 24, 16, 16>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

constexpr auto levels = input<32, 32, 3> | named<"p1">(conv<8>(stride<2>)) | named<"p2">(conv<16>(stride<2>));
#ifdef STATIQ_REJECT
constexpr auto body = levels | named<"neck">(concat(upsample<3>, from<"p1">));
#else
constexpr auto body = levels | named<"neck">(concat(upsample<2>, from<"p1">));
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
