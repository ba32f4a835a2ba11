// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: an option does not apply to this kind of layer
// rejects: stride_option<2, 2>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = relu(stride<2>);
#else
constexpr auto part = max_pool(stride<2>);
#endif

static_assert(graph_part<decltype(part)>);
