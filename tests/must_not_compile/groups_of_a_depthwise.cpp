// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: an option does not apply to this kind of layer
// rejects: groups_option<2>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = depthwise(groups<2>);
#else
constexpr auto part = conv<8>(groups<2>);
#endif

static_assert(graph_part<decltype(part)>);
