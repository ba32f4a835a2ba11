// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: padding is not negative
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = pad<0, 0, -1, 0>;
#else
constexpr auto part = pad<0, 0, 1, 0>;
#endif

static_assert(graph_part<decltype(part)>);
