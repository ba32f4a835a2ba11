// SPDX-License-Identifier: Apache-2.0
// rejects: repeated_output<statiq::layer_name<'p', '3'>, 8, 2>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

constexpr auto layers = input<8, 8, 3> | named<"p2">(conv<4>) | named<"p3">(conv<8>(stride<2>)) | conv<2>;
#ifdef STATIQ_REJECT
constexpr auto body = layers | outputs<"p3", "p3">;
#else
constexpr auto body = layers | outputs<"p3", "p2">;
#endif

struct net final : network<decltype(body)> {};
static_assert(node_count<net> > 0);
