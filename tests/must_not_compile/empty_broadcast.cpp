// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a shape has at least one row, one column and one channel
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = broadcast<4, 5, 0>;
#else
constexpr auto part = broadcast<4, 5, 1>;
#endif

static_assert(graph_part<decltype(part)>);
