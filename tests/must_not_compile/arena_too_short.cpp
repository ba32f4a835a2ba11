// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: the arena is too short
// rejects: check_arena(\(\) .with .*AtLeast = [0-9]+; .*Found = 63|<[0-9]+U*L*, 63U*L*>)
#include <statiq/execute/integer_network.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include <array>
#include <cstdint>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | dense<4>)> {};
using numbers = numbers_chosen<deployed<net>, quantized<8>, quantized<8, asymmetric>>;

#ifdef STATIQ_REJECT
using memory = std::array<std::uint8_t, 63>;
#else
using memory = std::array<std::uint8_t, integer_network<numbers>::arena_size>;
#endif

integer_network<numbers> on(const integer_parameters<numbers, default_scheme>& from, memory& arena) {
    return {from, arena};
}
