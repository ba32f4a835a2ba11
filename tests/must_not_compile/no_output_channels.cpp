// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a layer has at least one output channel
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<0>;
#else
constexpr auto part = conv<1>;
#endif

static_assert(graph_part<decltype(part)>);
