// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: concat joins at least two branches
#include <statiq/graph/network.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = concat(relu);
#else
constexpr auto part = concat(relu, relu);
#endif

static_assert(graph_part<decltype(part)>);
