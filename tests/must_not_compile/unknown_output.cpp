// SPDX-License-Identifier: Apache-2.0
// rejects: unknown_label<statiq::layer_name<'p', '4'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

constexpr auto layers = input<8, 8, 3> | named<"p2">(conv<4>) | named<"p3">(conv<8>(stride<2>)) | conv<2>;
#ifdef STATIQ_REJECT
constexpr auto body = layers | outputs<"p4">;
#else
constexpr auto body = layers | outputs<"p3">;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
