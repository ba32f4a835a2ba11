// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a network is finished; write the layer into its body, before network<...>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

struct net final : network<decltype(input<8, 8, 3> | conv<8>)> {};

#ifdef STATIQ_REJECT
constexpr auto more = net{} | relu;
#else
constexpr auto more = input<8, 8, 3> | relu;
#endif
