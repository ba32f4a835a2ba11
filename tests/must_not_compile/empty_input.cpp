// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a shape has at least one row, one column and one channel
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = input<4, 0, 3>;
#else
constexpr auto part = input<4, 1, 3>;
#endif

static_assert(graph_part<decltype(part)>);
