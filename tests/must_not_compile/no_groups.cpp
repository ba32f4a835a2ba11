// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: there is at least one group
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<8>(groups<0>);
#else
constexpr auto part = conv<8>(groups<1>);
#endif

static_assert(graph_part<decltype(part)>);
