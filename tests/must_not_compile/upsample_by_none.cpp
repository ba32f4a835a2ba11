// SPDX-License-Identifier: Apache-2.0
// rejects: an upsampling repeats a pixel at least once
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = upsample<0, 2>;
#else
constexpr auto part = upsample<1, 2>;
#endif

static_assert(graph_part<decltype(part)>);
