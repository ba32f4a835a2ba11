// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a layer's parentheses hold options, and numbers stand in angle brackets: conv<16>\(kernel<3>,
// stride<2>\)
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<16>(3);
#else
constexpr auto part = conv<16>(kernel<3>);
#endif

static_assert(graph_part<decltype(part)>);
