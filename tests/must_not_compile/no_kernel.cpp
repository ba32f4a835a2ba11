// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a kernel has at least one row and one column
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<8>(kernel<3, 0>);
#else
constexpr auto part = conv<8>(kernel<3, 1>);
#endif

static_assert(graph_part<decltype(part)>);
