// SPDX-License-Identifier: Apache-2.0
// Runs every variant that this machine supports: each is what its name says, and their bits are those of the kernels
// compiled into this program.
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/dispatch.hpp>
#include <statiq/execute/model.hpp>

#include "../support/random_parameters.hpp"
#include "variant.hpp"
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

extern "C" const statiq::variant_list dispatched_network_variants;

int main() {
    using namespace dispatched;
    std::mt19937 random(7);
    const auto parameters = statiq::deploy(support::random_parameters<trained>(random));
    const auto samples = support::random_inputs<trained>(random, 3);
    auto model = statiq::quantize<weight, activation>(parameters, statiq::calibrate(parameters, samples));
    using network_type = std::remove_cvref_t<decltype(model.network())>;
    struct alignas(statiq::arena_alignment) arena {
        std::uint8_t bytes[network_type::arena_size];
    };
    std::vector<std::uint8_t> input(network_type::input_size);
    for (std::uint8_t& value : input) value = static_cast<std::uint8_t>(random() % 256);
    const auto result = model.network().run(input);
    const std::vector<std::uint8_t> expected(result.begin(), result.end());
    if (*std::min_element(expected.begin(), expected.end()) == *std::max_element(expected.begin(), expected.end())) {
        std::fprintf(stderr, "all outputs are equal: nothing is compared\n");
        return 1;
    }

    int failures = 0;
    for (std::size_t i = 0; i < dispatched_network_variants.count; ++i) {
        const statiq::variant& variant = dispatched_network_variants.first[i];
        if (!variant.is_supported()) {
            std::printf("%s: not on this machine\n", variant.instruction_set);
            continue;
        }
        const auto& functions = *static_cast<const table*>(variant.table());
        arena memory;
        std::vector<std::uint8_t> output(expected.size(), 0);
        functions.run(model.bytes().data(), model.bytes().size(), memory.bytes, input.data(), output.data());
        const bool named = std::string(functions.compiled_for()) == variant.instruction_set;
        std::printf("%s: compiled for %s, bits %s\n", variant.instruction_set, functions.compiled_for(),
                    output == expected ? "equal" : "differ");
        if (output != expected || !named) ++failures;
    }
    const auto* best = statiq::best_variant<table>(dispatched_network_variants);
    if (best == nullptr) {
        std::fprintf(stderr, "no variant runs here\n");
        ++failures;
    }
    return failures == 0 ? 0 : 1;
}
