// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/weight_only_network.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/simulate/simulated_network.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using namespace statiq;

namespace {

/// Every node's output.
template <class Network>
std::vector<std::vector<float>> seen_of(Network& network, std::span<const float> sample) {
    using G = typename Network::graph;
    std::vector<std::vector<float>> seen(node_count<G>);
    network.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
        seen[I].assign(values, values + G::nodes[I].out.size());
    });
    return seen;
}

struct with_a_float_layer final
    : network<decltype(input<5, 6, 12> | named<"a">(conv<8>(kernel<3>)) | relu | named<"b">(depthwise) |
                       with<float32>(named<"c">(pointwise<5>)) | flatten | named<"d">(dense<3>))> {};

} // namespace

TEST_CASE("packed integers come back, whatever their width") {
    std::mt19937 random(901);
    const auto check = [&]<class Q>(Q) {
        std::uniform_int_distribution<std::int32_t> any(Q::format.lowest, Q::format.highest);
        for (std::size_t size = 0; size < 40; ++size) {
            std::vector<std::int32_t> values(size);
            for (auto& v : values) v = any(random);
            const detail::bit_packed packed(values, Q::format);
            for (std::size_t i = 0; i < size; ++i) CHECK(packed[i] == values[i]);
            CHECK(packed.bytes() <= (size * Q::format.bits + 7) / 8 + 4);
        }
    };
    check(quantized<2, asymmetric>{});
    check(quantized<3>{});
    check(quantized<4>{});
    check(quantized<5, asymmetric>{});
    check(quantized<7>{});
    check(quantized<8, asymmetric_signed>{});
    check(quantized<11>{});
    check(quantized<16, asymmetric>{});
}

TEST_CASE("weights alone as integers: the bits of the simulated network, in every granularity") {
    std::mt19937 random(902);
    const auto check = [&]<class Net, class Weight>(Net, Weight) {
        const auto from = deploy(support::random_parameters<Net>(random));
        auto network = quantize_weights<Weight>(from);
        using Q = typename decltype(network)::graph;
        simulated_network<Q> simulated(quantize_parameters<Q>(from, node_ranges<deployed<Net>>{}));
        const auto samples = support::random_inputs<Net>(random, 2);
        for (std::size_t s = 0; s < samples.size(); ++s)
            CHECK(seen_of(network, samples[s]) == seen_of(simulated, samples[s]));
    };
    support::for_each_random_network<0, 6>([&]<class Net>() {
        check(Net{}, quantized<8, asymmetric, per_channel>{});
        check(Net{}, quantized<4, symmetric, per_group<8>>{});
    });
    check(with_a_float_layer{}, quantized<3, asymmetric>{});
    check(with_a_float_layer{}, quantized<12, symmetric, per_group<5>>{});
}

TEST_CASE("weights alone as integers: four bits take half of eight, and an eighth of float") {
    std::mt19937 random(903);
    struct wide final : network<decltype(input<4, 4, 64> | conv<64>(kernel<3>) | relu | pointwise<32>)> {};
    const auto from = deploy(support::random_parameters<wide>(random));
    constexpr std::size_t weights = 64 * 64 * 9 + 64 * 32;
    constexpr std::size_t others = (64 + 32) * (sizeof(affine) + sizeof(float)) + 2 * 4; // maps, biases, two tails
    CHECK(quantize_weights<quantized<8, symmetric, per_channel>>(from).parameter_bytes() == weights + others);
    CHECK(quantize_weights<quantized<4, symmetric, per_channel>>(from).parameter_bytes() == weights / 2 + others);
}
