// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/simulate/simulated_network.hpp>
#include <statiq/simulate/simulation.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using namespace statiq;

namespace {

using weight = quantized<8, symmetric, per_channel>;
using narrow_weight = quantized<4, asymmetric>;
using byte = quantized<8, asymmetric>;

/// Bits of every node's output.
using layer_bits = std::vector<std::vector<std::uint32_t>>;

void keep(std::vector<std::uint32_t>& to, const float* values, std::size_t count) {
    to.clear();
    for (std::size_t k = 0; k < count; ++k) to.push_back(std::bit_cast<std::uint32_t>(values[k]));
}
template <class Network>
layer_bits bits_of(Network& network, std::span<const float> sample) {
    using G = typename Network::graph;
    layer_bits seen(node_count<G>);
    network.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
        keep(seen[I], values, G::nodes[I].out.size());
    });
    return seen;
}
template <class Scheme>
layer_bits bits_of(simulation<Scheme>& network, std::span<const float> sample) {
    layer_bits seen(network.nodes().size());
    network.run(sample,
                [&](std::size_t i, const float* values) { keep(seen[i], values, network.nodes()[i].out.size()); });
    return seen;
}

template <graph_type Net>
struct subject {
    using deployed_net = deployed<Net>;
    parameters<deployed_net> from;
    support::random_samples samples;
    node_ranges<deployed_net> ranges;

    explicit subject(std::mt19937& random)
        : from(deploy(support::random_parameters<Net>(random))), samples(support::random_inputs<Net>(random, 3)),
          ranges(calibrate(from, samples)) {
        // Ranges that are too tight here and too wide there: values saturate, bounds lie beyond the integers.
        for (range& r : ranges)
            if (random() % 2 == 0) r = {r.min * 0.75F, r.max * 0.75F};
    }
};

} // namespace

TEST_CASE("formats chosen at run time give the bits of the same formats chosen as types") {
    std::mt19937 random(301);
    support::for_each_random_network<0, 12>([&]<class Net>() {
        const subject<Net> s(random);
        const auto check = [&]<class Weight, class Scheme>(Weight, Scheme) {
            using Q = numbers_chosen<deployed<Net>, Weight, byte>;
            const auto typed_parameters = quantize_parameters<Q>(s.from, s.ranges);
            simulated_network<Q, Scheme> typed(typed_parameters);
            const quantized_data data =
                quantize_data(as_data(s.from), s.ranges, {Weight::format, byte::format, Weight::format});
            REQUIRE(data.nodes == std::vector<node>(Q::nodes.begin(), Q::nodes.end()));
            REQUIRE(data.origin == std::vector<int>(Q::origin.begin(), Q::origin.end()));
            CHECK(number_complaint(data) == "");
            for (std::size_t i = 0; i < node_count<Q>; ++i) {
                CHECK(data.layers[i].weight == typed_parameters[i].weight);
                CHECK(data.layers[i].bias == typed_parameters[i].bias);
            }
            simulation<Scheme> run_time(data);
            for (std::size_t k = 0; k < s.samples.size(); ++k)
                CHECK(bits_of(run_time, s.samples[k]) == bits_of(typed, s.samples[k]));
        };
        check(weight{}, float_multiplier{});
        check(narrow_weight{}, gemmlowp{});
    });
}

TEST_CASE("without any loss source a simulation is the float network, bit for bit") {
    std::mt19937 random(302);
    support::for_each_random_network<0, 12>([&]<class Net>() {
        const subject<Net> s(random);
        float_network<deployed<Net>> floats(s.from);
        const quantized_data data =
            quantize_data(as_data(s.from), s.ranges, {weight::format, byte::format, weight::format});
        simulation<> simulated(data);
        simulated.set_sources(loss_sources::none());
        for (std::size_t k = 0; k < s.samples.size(); ++k) {
            const layer_bits expected = bits_of(floats, s.samples[k]);
            const layer_bits seen = bits_of(simulated, s.samples[k]);
            for (std::size_t i = 0; i < seen.size(); ++i)
                CHECK(seen[i] == expected[static_cast<std::size_t>(data.origin[i])]);
        }
    });
}

TEST_CASE("the loss sources together are the quantized network, bit for bit, and each alone is another network") {
    std::mt19937 random(303);
    constexpr loss_sources sources = loss_sources::all();
    std::array<int, sources.size()> alone_differs{};
    support::for_each_random_network<0, 12>([&]<class Net>() {
        const subject<Net> s(random);
        const quantized_data data =
            quantize_data(as_data(s.from), s.ranges, {weight::format, byte::format, weight::format});
        simulation<> whole(data);
        simulation<> together(data);
        together.set_sources(sources);
        simulation<> floats(data);
        floats.set_sources(loss_sources::none());
        for (std::size_t k = 0; k < s.samples.size(); ++k) {
            CHECK(bits_of(together, s.samples[k]) == bits_of(whole, s.samples[k]));
            const layer_bits none = bits_of(floats, s.samples[k]);
            for (std::size_t source = 0; source < sources.size(); ++source) {
                together.set_sources(sources[source]);
                if (bits_of(together, s.samples[k]) != none) ++alone_differs[source];
            }
            together.set_sources(sources);
        }
    });
    for (const int count : alone_differs) CHECK(count > 0);
}

TEST_CASE("each loss source does what it is called") {
    // y = clamp(0.5 x0 + 0.25 x1, 0, 6) in integers of scale 0.0625 up to 4 (saturation), weights in steps of 1/6.
    struct net final : network<decltype(input<1, 1, 2> | named<"a">(dense<1>(without_bias)) | relu6)> {};
    parameters<deployed<net>> from = zero_parameters<deployed<net>>();
    from[1].weight = {0.5F, 0.25F};
    const node_ranges<deployed<net>> ranges{{{0, 15}, {0, 3.9375F}}};
    using four = quantized<4, asymmetric>;
    using six = quantized<6, asymmetric>;
    const layer_override at_a{"a", {true, true, quantized<3>::format, six::format}};
    const quantized_data data =
        quantize_data(as_data(from), ranges, {four::format, four::format, four::format}, std::array{at_a});
    REQUIRE(data.layers[0].output == affine{1, 0});
    REQUIRE(data.layers[1].output == affine{0.0625F, 0});
    const float step = data.layers[1].weight_map[0].scale; // 0.5 / 3: 0.25 becomes 2 steps, half away from zero
    REQUIRE(step == 0.5F / 3);
    simulation<> simulated(data);
    const auto result = [&](loss_sources sources, std::array<float, 2> x) {
        simulated.set_sources(sources);
        return simulated.run(x)[0];
    };
    CHECK(result(loss_sources::none(), {3.3F, 1}) == 0.5F * 3.3F + 0.25F);
    CHECK(result(loss_source::input, {3.3F, 1.6F}) == 0.5F * 3 + 0.25F * 2);
    CHECK(result(loss_source::input, {20, 0}) == 6); // rounded, not saturated: clipped as in float
    CHECK(result(loss_source::weight, {3, 3}) == doctest::Approx(1.5 + 1.0).epsilon(1e-6));
    CHECK(result(loss_source::saturation, {9.1F, 0}) == 3.9375F);
    CHECK(result(loss_source::saturation, {3.3F, 0}) == 0.5F * 3.3F);
    CHECK(result(loss_source::requantization, {3.3F, 0}) == 1.625F);  // 1.65 = 26.4 steps
    CHECK(result(loss_source::requantization, {9.1F, 0}) == 4.5625F); // 4.55 = 72.8 steps, beyond the 63 there are
    CHECK(result(loss_source::requantization, {-3, 0}) == 0);
    CHECK(result(loss_source::clipping, {15, 0}) == 6); // 6 is 96 steps exactly
    CHECK(result(loss_sources::all(), {9.1F, 0}) == 3.9375F);
}

TEST_CASE("one layer alone, on real inputs, is the layer of a network that quantizes its input first") {
    std::mt19937 random(304);
    struct net final : network<decltype(input<5, 6, 4> | conv<7>(kernel<3>) | relu6)> {};
    const subject<net> s(random);
    const quantized_data data =
        quantize_data(as_data(s.from), s.ranges, {weight::format, byte::format, weight::format});
    simulation<> simulated(data);
    std::vector<float> alone(data.nodes[1].out.size());
    for (std::size_t k = 0; k < s.samples.size(); ++k) {
        simulated.run_alone(1, {s.samples[k]}, loss_sources::all(), alone);
        std::vector<std::uint32_t> bits;
        keep(bits, alone.data(), alone.size());
        CHECK(bits == bits_of(simulated, s.samples[k])[1]);
    }
}

TEST_CASE("integer weights under float sums: each weight is within half a step of its channel or group") {
    std::mt19937 random(305);
    struct net final
        : network<decltype(input<5, 6, 12> | named<"a">(conv<8>(kernel<3>)) | relu | named<"b">(depthwise) |
                           named<"c">(pointwise<5>) | flatten | named<"d">(dense<3>))> {};
    const subject<net> s(random);
    const network_data real = as_data(s.from);
    const auto check = [&]<class Weight>(Weight) {
        // Groups of inputs, or one of all.
        const int group_size = Weight::format.group == 0 ? 1 << 20 : Weight::format.group;
        const quantized_data data = quantize_data(real, s.ranges, {Weight::format, float32::format, Weight::format});
        CHECK(number_complaint(data) == "");
        for (std::size_t i = 0; i < data.nodes.size(); ++i) {
            const node& n = data.nodes[i];
            if (!n.is_linear()) continue;
            const convolution_shape shape = n.convolution();
            const auto maps = static_cast<int>(data.layers[i].weight_map.size()) / shape.out.channels;
            CHECK(maps == (shape.reduction() + group_size - 1) / group_size);
            for (int o = 0; o < shape.out.channels; ++o)
                for (int position = 0; position < shape.reduction(); ++position) {
                    const int per_tap = shape.in_channels_per_group();
                    const std::size_t w = shape.weight_index(o, position / per_tap, position % per_tap);
                    const int group = position / group_size;
                    const affine& map = data.layers[i].weight_map[static_cast<std::size_t>(o * maps + group)];
                    const double error = std::abs(static_cast<double>(dequantize(data.layers[i].weight[w], map)) -
                                                  static_cast<double>(real.parameters[i].weight[w]));
                    CHECK(error <= 0.5001 * static_cast<double>(map.scale));
                }
        }
        // Sums in float: the network of the weights that the integers stand for.
        parameters<deployed<net>> stood_for = s.from;
        for (std::size_t i = 0; i < data.nodes.size(); ++i) {
            const node& n = data.nodes[i];
            if (!n.is_linear()) continue;
            const convolution_shape shape = n.convolution();
            for (int o = 0; o < shape.out.channels; ++o)
                for (int tap = 0; tap < shape.over.taps(); ++tap)
                    for (int k = 0; k < shape.in_channels_per_group(); ++k) {
                        const std::size_t w = shape.weight_index(o, tap, k);
                        const std::size_t groups =
                            data.layers[i].weight_map.size() / static_cast<std::size_t>(n.out.channels);
                        const auto group =
                            static_cast<std::size_t>((tap * shape.in_channels_per_group() + k) / group_size);
                        stood_for[i].weight[w] =
                            dequantize(data.layers[i].weight[w],
                                       data.layers[i].weight_map[static_cast<std::size_t>(o) * groups + group]);
                    }
        }
        float_network<deployed<net>> expected(stood_for);
        simulation<> simulated(data);
        for (std::size_t k = 0; k < s.samples.size(); ++k)
            CHECK(bits_of(simulated, s.samples[k]) == bits_of(expected, s.samples[k]));
    };
    check(quantized<8, asymmetric, per_channel>{});
    check(quantized<4, symmetric, per_group<8>>{});
    check(quantized<3, asymmetric, per_group<5>>{});
    check(quantized<8, asymmetric>{});
}

TEST_CASE("numbers a layer cannot be computed in are complained of at run time") {
    struct net final : network<decltype(input<5, 6, 12> | named<"a">(conv<8>(kernel<3>)))> {};
    const auto complaint = [](const number_choice& choice) {
        return number_complaint(choose_numbers(deployed<net>::nodes, choice));
    };
    using word = quantized<16, asymmetric>;
    CHECK(complaint({weight::format, byte::format, weight::format}) == "");
    CHECK(complaint({quantized<16>::format, word::format, weight::format}) ==
          "layer 'a': its sums may need 39 bits, accumulators have 32");
    CHECK(complaint({quantized<4, symmetric, per_group<4>>::format, byte::format, weight::format}) ==
          "layer 'a': weights in groups of 4 under integer sums, which have one scale for each channel at most");
    CHECK(complaint({float32::format, byte::format, float32::format}) ==
          "layer 'a': float weights under 8-bit activations; weights there are integers");
    CHECK(complaint({weight::format, quantized<8, asymmetric, per_channel>::format, weight::format}) ==
          "layer 'input': activations have one scale for the whole tensor");
    // 8 bits store 256 integers.
    const number_format nine_bits{.floating = false, .bits = 8, .lowest = 0, .highest = 511, .has_zero_point = true};
    CHECK(
        complaint({weight::format, nine_bits, weight::format}) ==
        "layer 'input': formats of 8 and 8 bits; there are float32, and integers of 2 to 16 bits that these can store");
}
