// SPDX-License-Identifier: Apache-2.0
// rejects: the network names no such output
#include <statiq/graph/network.hpp>
#include <statiq/graph/outputs.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>

using namespace statiq;

constexpr auto body = input<8, 8, 3> | named<"p2">(conv<4>) | named<"p3">(conv<8> | relu) | conv<2> | outputs<"p3">;
struct net final : network<decltype(body)> {};

#ifdef STATIQ_REJECT
static_assert(output_index<deployed<net>, "p2"> == 1);
#else
static_assert(output_index<deployed<net>, "p3"> == 2);
#endif
