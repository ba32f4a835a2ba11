// SPDX-License-Identifier: Apache-2.0
// rejects: (missing template arguments before|requires template arguments)
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<16>(padding(1));
#else
constexpr auto part = conv<16>(padding<1>);
#endif

static_assert(graph_part<decltype(part)>);
