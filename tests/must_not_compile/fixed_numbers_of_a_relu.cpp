// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: with_fixed_numbers is for functions that have a fixed_output, as sigmoid and tanh do
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = with_fixed_numbers(relu);
#else
constexpr auto part = with_fixed_numbers(sigmoid);
#endif

static_assert(graph_part<decltype(part)>);
