// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a number type is stored as float, or as the 8- or 16-bit integer of its sign and bits
#include <statiq/graph/compose.hpp>
#include <statiq/operations/library.hpp>

#include <cstdint>

using namespace statiq;

struct byte {
    static constexpr number_format format{
        .floating = false, .bits = 8, .lowest = 0, .highest = 255, .has_zero_point = true};
#ifdef STATIQ_REJECT
    using storage = std::int8_t;
#else
    using storage = std::uint8_t;
#endif
};

static_assert(graph_part<decltype(with<byte>(dense<4>))>);
