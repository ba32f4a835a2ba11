// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: an option does not apply to this kind of layer
// rejects: kernel_option<3, 3>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = dense<8>(kernel<3>);
#else
constexpr auto part = conv<8>(kernel<3>);
#endif

static_assert(graph_part<decltype(part)>);
