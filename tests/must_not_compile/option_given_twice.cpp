// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: two options decide the same; write one of them
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<8>(padding<1>, valid);
#else
constexpr auto part = conv<8>(padding<1>);
#endif

static_assert(graph_part<decltype(part)>);
