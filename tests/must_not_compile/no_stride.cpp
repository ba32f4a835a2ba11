// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a stride is at least 1
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<8>(stride<0>);
#else
constexpr auto part = conv<8>(stride<1>);
#endif

static_assert(graph_part<decltype(part)>);
