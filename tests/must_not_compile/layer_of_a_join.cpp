// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: this operation reads two tensors or more: join<...>\(a, b\)
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = layer_of<operations::add>;
#else
constexpr auto part = join<operations::add>(identity, relu);
#endif

static_assert(graph_part<decltype(part)>);
