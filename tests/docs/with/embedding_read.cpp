// SPDX-License-Identifier: Apache-2.0
// Runs the network on parameters that are part of the program: the page's block says where they are.
#include <statiq/execute/model.hpp>

#include "embedded.cpp"
#include "embedding_network.hpp"
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>

int main() {
    const auto parameters = statiq::parameters_from_bytes<Q>(embedded);
    if (!parameters) {
        std::printf("refused at %p, %zu bytes", static_cast<const void*>(embedded.data()), embedded.size());
        return 1;
    }
    using network_type = statiq::integer_network<Q>;
    alignas(statiq::arena_alignment) static std::array<std::uint8_t, network_type::arena_size> arena;
    network_type network(*parameters, arena);
    for (const int score : network(input())) std::printf("%d ", score);
}
