// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: an option does not apply to this kind of layer
// rejects: dilation_option<2, 2>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = max_pool(dilation<2>);
#else
constexpr auto part = conv<8>(dilation<2>);
#endif

static_assert(graph_part<decltype(part)>);
