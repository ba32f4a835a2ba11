// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a dilation is at least 1
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<8>(dilation<0>);
#else
constexpr auto part = conv<8>(dilation<1>);
#endif

static_assert(graph_part<decltype(part)>);
