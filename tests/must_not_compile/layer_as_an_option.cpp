// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a layer's parentheses hold options, .*; the next layer follows with \|
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<8>(kernel<3>, relu);
#else
constexpr auto part = conv<8>(kernel<3>) | relu;
#endif

static_assert(graph_part<decltype(part)>);
