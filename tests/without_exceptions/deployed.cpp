// SPDX-License-Identifier: Apache-2.0
// A deployed program: the definition, one header of statiq, no exceptions, and a hook of its own for refused calls.
#include <statiq/execute/integer_network.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

namespace sq = statiq;

struct net final : sq::network<decltype(sq::input<4, 4, 3> | sq::conv<8>(sq::kernel<3>) | sq::relu |
                                        sq::global_average_pool | sq::dense<5>)> {};
using weight = sq::quantized<8, sq::symmetric, sq::per_channel>;
using activation = sq::quantized<8, sq::asymmetric>;
using numbers = sq::numbers_chosen<sq::deployed<net>, weight, activation>;
using network_type = sq::integer_network<numbers>;

/// Parameters as a linker would place them: all zero but for the header.
static const network_type::parameters_type blob{};
alignas(sq::arena_alignment) static std::array<std::uint8_t, sq::integer_network<numbers>::arena_size> arena;

/// The last refusal is the one this program waits for.
void statiq::refused(const refusal& why) noexcept {
    const bool expected = std::strcmp(why.what, "integer_network: values of the input") == 0 && why.lowest == 48 &&
                          why.highest == 48 && why.found == 5 && why.layer.empty();
    std::printf("refused: %s\n", why.what);
    std::exit(expected ? 0 : 1);
}

int main() {
    const auto bytes = std::as_bytes(std::span(&blob, 1));
    const auto parameters = sq::parameters_from_bytes<numbers>(bytes);
    if (!parameters || parameters->header.size != sq::weight_bytes<numbers>) return 2;
    if (sq::parameters_from_bytes<numbers>(bytes.first(8)).refusal().defect != sq::parameters_defect::too_short)
        return 3;
    network_type network(*parameters, arena);
    const std::array<std::uint8_t, 48> image{};
    for (const std::uint8_t score : network(image))
        if (score != 0) return 4; // every bound is zero
    network(std::span(image).subspan(0, static_cast<std::size_t>(std::atoi("5"))));
    return 5;
}
