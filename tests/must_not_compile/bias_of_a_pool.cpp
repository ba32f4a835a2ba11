// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: an option does not apply to this kind of layer
// rejects: bias_option<
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = average_pool(with_bias);
#else
constexpr auto part = dense<8>(with_bias);
#endif

static_assert(graph_part<decltype(part)>);
