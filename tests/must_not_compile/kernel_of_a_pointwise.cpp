// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: pointwise<...> is 1 x 1; write conv<...>\(kernel<...>\) for other windows
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = pointwise<8>(kernel<3>);
#else
constexpr auto part = pointwise<8>(stride<2>);
#endif

static_assert(graph_part<decltype(part)>);
