// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: transpose names each of the axes 0, 1 and 2 once
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = transpose<1, 2, 3>;
#else
constexpr auto part = transpose<1, 2, 0>;
#endif

static_assert(graph_part<decltype(part)>);
