// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a label stands in angle brackets: named<.?"stem.?">\(conv<8> \| relu\)
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto part = named("a", relu);
#else
constexpr auto part = named<"a">(relu);
#endif

static_assert(graph_part<decltype(part)>);
