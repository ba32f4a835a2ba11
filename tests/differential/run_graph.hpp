// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/prepare.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/fuse_activations.hpp>
#include <statiq/plan/memory.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

/// What generated programs share: a graph's integers come from standard input, and every node's outputs go to standard
/// output. Both are streams of int32; a float is the int32 of the same bits.
namespace differential {

inline std::int32_t read_word() {
    std::int32_t word = 0;
    if (std::fread(&word, sizeof word, 1, stdin) != 1) std::abort();
    return word;
}
inline std::vector<std::int32_t> read_words() {
    std::vector<std::int32_t> words(static_cast<std::size_t>(read_word()));
    for (std::int32_t& word : words) word = read_word();
    return words;
}
inline statiq::affine read_map() {
    const auto scale = std::bit_cast<float>(read_word());
    return {scale, read_word()};
}
inline void write_word(std::int32_t word) { std::fwrite(&word, sizeof word, 1, stdout); }

/// The numbers of one layer, in the order of `statiq::quantized_layer_view`.
struct layer_numbers {
    statiq::affine output{};
    std::vector<std::int32_t> weight{};
    std::vector<statiq::affine> weight_map{};
    std::vector<std::int32_t> bias{};
};

/// Reads a graph's numbers and samples, and runs them. Written for each node: extents, lowest and highest integer; then
/// for each sample all nodes' outputs. Every layer of the graph has numbers of its own.
template <class Net, class Scheme>
void run_graph() {
    using Q = statiq::numbers_chosen<statiq::activations_fused<Net>, statiq::quantized<8>,
                                     statiq::quantized<8, statiq::asymmetric>>;
    constexpr std::size_t count = statiq::node_count<Q>;
    std::vector<layer_numbers> layers(count);
    statiq::quantized_layers<Q> views;
    for (std::size_t i = 0; i < count; ++i) {
        const statiq::node& n = Q::nodes[i];
        for (const std::int32_t word :
             {n.out.height, n.out.width, n.out.channels, n.numbers.activation.lowest, n.numbers.activation.highest})
            write_word(word);
        layer_numbers& layer = layers[i];
        layer.output = read_map();
        if (n.is_linear()) {
            layer.weight = read_words();
            layer.weight_map.resize(static_cast<std::size_t>(n.out.channels));
            for (statiq::affine& map : layer.weight_map) map = read_map();
            layer.bias = read_words();
        }
        views[i] = {layer.output, layer.weight, layer.weight_map, layer.bias};
    }
    auto parameters = std::make_unique<statiq::integer_parameters<Q, Scheme>>();
    statiq::prepare(views, *parameters);

    using network_type = statiq::integer_network<Q, Scheme>;
    struct memory {
        alignas(statiq::arena_alignment) std::array<std::uint8_t, network_type::arena_size> arena;
        std::array<typename network_type::input_type, network_type::input_size> input;
    };
    const auto where = std::make_unique<memory>();
    network_type network(*parameters, where->arena);
    for (std::int32_t samples = read_word(); samples > 0; --samples) {
        for (auto& value : where->input) value = static_cast<typename network_type::input_type>(read_word());
        network.run(where->input, [](auto index, const auto* values) {
            for (std::size_t k = 0; k < Q::nodes[index].out.size(); ++k) write_word(values[k]);
        });
    }
}

} // namespace differential
