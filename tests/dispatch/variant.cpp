// SPDX-License-Identifier: Apache-2.0
#include "variant.hpp"

#include <statiq/execute/dispatch.hpp>
#include <statiq/execute/model.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace {

void run(const std::byte* parameters, std::size_t size, std::uint8_t* arena, const std::uint8_t* input,
         std::uint8_t* output) {
    using network_type = statiq::integer_network<dispatched::numbers>;
    const auto from = statiq::parameters_from_bytes<dispatched::numbers>({parameters, size});
    if (!from) return;
    network_type network(*from, std::span(arena, network_type::arena_size));
    const auto result = network.run(std::span(input, network_type::input_size));
    // By way of a container: its members are what linkers merge.
    const std::vector<std::uint8_t> values(result.begin(), result.end());
    std::copy(values.begin(), values.end(), output);
}

constexpr dispatched::table offered{.compiled_for = dispatched::instruction_set, .run = run};

} // namespace

STATIQ_VARIANT_TABLE(offered)
