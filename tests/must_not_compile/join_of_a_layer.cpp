// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: this operation reads one tensor: write layer_of<...>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = join<operations::softmax>(identity, relu);
#else
constexpr auto part = layer_of<operations::softmax>;
#endif

static_assert(graph_part<decltype(part)>);
