// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: add, concat and other joins have at least two branches
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = concat(relu);
#else
constexpr auto part = concat(relu, relu);
#endif

static_assert(graph_part<decltype(part)>);
