// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: \| joins layers, and one side is none
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = input<8, 8, 3> | 16;
#else
constexpr auto part = input<8, 8, 3> | conv<16>;
#endif

static_assert(graph_part<decltype(part)>);
