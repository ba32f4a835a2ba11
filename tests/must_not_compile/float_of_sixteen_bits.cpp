// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a number type is float32, or integers of 2 to 16 bits
#include <statiq/graph/compose.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

struct half {
#ifdef STATIQ_REJECT
    static constexpr number_format format{.floating = true, .bits = 16};
#else
    static constexpr number_format format{};
#endif
    using storage = float;
};

static_assert(graph_part<decltype(with<half>(dense<4>))>);
