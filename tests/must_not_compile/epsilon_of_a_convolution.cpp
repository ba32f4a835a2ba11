// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: an option does not apply to this kind of layer
// rejects: epsilon_option<
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = conv<8>(epsilon<1e-5>);
#else
constexpr auto part = batch_norm(epsilon<1e-5>);
#endif

static_assert(graph_part<decltype(part)>);
