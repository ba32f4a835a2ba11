// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: batch norm's epsilon is positive
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = batch_norm(epsilon<-1e-3>);
#else
constexpr auto part = batch_norm(epsilon<1e-3>);
#endif

static_assert(graph_part<decltype(part)>);
