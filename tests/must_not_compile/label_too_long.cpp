// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a label holds at most 46 characters
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = named<"01234567890123456789012345678901234567890123456">(relu);
#else
constexpr auto part = named<"0123456789012345678901234567890123456789012345">(relu);
#endif

static_assert(graph_part<decltype(part)>);
