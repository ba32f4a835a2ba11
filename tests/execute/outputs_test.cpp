// SPDX-License-Identifier: Apache-2.0
// What is seen of a run: observers and named outputs show the values that the same network computes when it ends there.
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/execute/weight_only_network.hpp>
#include <statiq/simulate/simulated_network.hpp>
#include <statiq/simulate/simulation.hpp>

#include <doctest/doctest.h>

#include "../support/random_parameters.hpp"
#include "../support/refused.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

using namespace statiq;

namespace {

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;

constexpr auto stem = input<7, 6, 3> | named<"a">(conv<20>(kernel<3>)) | relu;
constexpr auto middle = named<"b">(depthwise(kernel<3>)) | named<"c">(max_pool);
struct whole final : network<decltype(stem | middle | conv<5>(kernel<1>) | relu6 | flatten | named<"d">(dense<4>) |
                                      outputs<"a", "b", "c", "d">)> {};
struct cut_at_a final : network<decltype(input<7, 6, 3> | named<"a">(conv<20>(kernel<3>)))> {};
struct cut_at_b final : network<decltype(stem | named<"b">(depthwise(kernel<3>)) | outputs<"a", "b">)> {};
struct cut_at_c final : network<decltype(stem | middle | outputs<"a", "b", "c">)> {};

template <graph_type Net>
struct subject {
    using graph = deployed<Net>;
    parameters<graph> from;
    node_ranges<graph> ranges;
};

/// The parameters of the nodes that `Net` shares with the network it is cut from.
template <graph_type Net>
subject<Net> cut(const subject<whole>& of) {
    using graph = deployed<Net>;
    subject<Net> result;
    for (std::size_t i = 0; i < node_count<graph>; ++i) {
        REQUIRE(graph::nodes[i].out == deployed<whole>::nodes[i].out);
        result.from[i] = of.from[i];
        result.ranges[i] = of.ranges[i];
    }
    return result;
}

/// Values of every node, as observers see them.
using values_seen = std::vector<std::vector<double>>;

template <class Network, class Input>
values_seen observed_of(Network& network, const Input& input) {
    using G = typename Network::graph;
    values_seen seen;
    const auto result = network.run(input, [&]<std::size_t I, class T>(node_index<I>, const T* values) {
        CHECK(seen.size() == I);
        seen.emplace_back(values, values + G::nodes[I].out.size());
    });
    CHECK(std::equal(result.begin(), result.end(), seen.back().begin(), seen.back().end()));
    return seen;
}

template <class Network, class Input>
void check_outputs(Network& network, Network& copied, const Input& input, const values_seen& a, const values_seen& b,
                   const values_seen& c) {
    const values_seen seen = observed_of(network, input);
    for (const values_seen* part : {&a, &b, &c})
        CHECK(std::equal(part->begin(), part->end(), seen.begin())); // of each node up to the cut
    const auto shows = [](const auto& output, const std::vector<double>& expected) {
        return std::equal(output.begin(), output.end(), expected.begin(), expected.end());
    };
    CHECK(shows(network.template output<"a">(), a.back()));
    CHECK(shows(network.template output<"b">(), b.back()));
    CHECK(shows(network.template output<"c">(), c.back()));
    CHECK(shows(network.template output<"d">(), seen.back()));
    static_assert(decltype(network.template output<"a">())::extent == 7 * 6 * 20);
    // Without an observer the outputs are the same.
    copied.run(input);
    CHECK(shows(copied.template output<"b">(), b.back()));
}

/// @param make make(subject) is the execution of its network
template <class Make, class Input>
void check_execution(const subject<whole>& of, const Make& make, const Input& input) {
    auto network = make(of);
    auto again = make(of);
    auto a = make(cut<cut_at_a>(of));
    auto b = make(cut<cut_at_b>(of));
    auto c = make(cut<cut_at_c>(of));
    check_outputs(network, again, input, observed_of(a, input), observed_of(b, input), observed_of(c, input));
}

template <class Net>
using numbers = numbers_chosen<deployed<Net>, weight, byte>;

subject<whole> make_subject(std::mt19937& random) {
    auto from = deploy(support::random_parameters<whole>(random));
    const auto ranges = calibrate(from, support::random_inputs<whole>(random, 2));
    return {std::move(from), ranges};
}

} // namespace

TEST_CASE("observers and named outputs show what the network computes that ends there, in every execution") {
    std::mt19937 random(171);
    const subject<whole> of = make_subject(random);
    const auto samples = support::random_inputs<whole>(random, 1);
    const std::span<const float> sample = samples[0];

    check_execution(
        of, []<class Net>(const subject<Net>& s) { return float_network<deployed<Net>>(s.from); }, sample);
    check_execution(
        of, []<class Net>(const subject<Net>& s) { return quantize_weights<weight>(s.from); }, sample);
    check_execution(
        of,
        []<class Net>(const subject<Net>& s) {
            return simulated_network<numbers<Net>>(quantize_parameters<numbers<Net>>(s.from, s.ranges));
        },
        sample);

    std::array<std::uint8_t, 7 * 6 * 3> bytes{};
    for (auto& x : bytes) x = static_cast<std::uint8_t>(random());
    auto model = quantize<weight, byte>(of.from, of.ranges);
    auto again = quantize<weight, byte>(of.from, of.ranges);
    const auto seen_in = [&]<class Net>(const subject<Net>& s) {
        auto part = quantize<weight, byte>(s.from, s.ranges);
        return observed_of(part.network(), bytes);
    };
    check_outputs(model.network(), again.network(), bytes, seen_in(cut<cut_at_a>(of)), seen_in(cut<cut_at_b>(of)),
                  seen_in(cut<cut_at_c>(of)));
}

TEST_CASE("a simulation of data shows by index what the simulated network shows by name") {
    std::mt19937 random(172);
    const subject<whole> of = make_subject(random);
    const auto samples = support::random_inputs<whole>(random, 1);
    using Q = numbers<whole>;
    simulated_network<Q> typed(quantize_parameters<Q>(of.from, of.ranges));
    simulation<> data(quantize_data(as_data(of.from), of.ranges, {weight::format, byte::format, weight::format}));
    const values_seen expected = observed_of(typed, samples[0]);
    values_seen seen;
    const auto result = data.run(samples[0], [&](std::size_t i, const float* values) {
        CHECK(seen.size() == i);
        seen.emplace_back(values, values + data.nodes()[i].out.size());
    });
    CHECK(seen == expected);
    CHECK(std::equal(result.begin(), result.end(), expected.back().begin(), expected.back().end()));
    const auto shows = [&](std::size_t index) {
        return std::equal(expected[index].begin(), expected[index].end(), data.tensor(index).begin(),
                          data.tensor(index).end());
    };
    CHECK(shows(output_index<Q, "a">));
    CHECK(shows(output_index<Q, "b">));
    CHECK(shows(output_index<Q, "c">));
    CHECK(std::ranges::equal(data(samples[0]), typed(samples[0])));
}

TEST_CASE("an output is refused before the first run, in a copy too") {
    std::mt19937 random(173);
    const subject<whole> of = make_subject(random);
    const auto samples = support::random_inputs<whole>(random, 1);
    const auto refusal = [](const auto& network) {
        return support::refusal_of([&] { (void)network.template output<"b">(); });
    };
    const auto check = [&](auto& network, const std::string& message) {
        CHECK(refusal(network) == message);
        network(samples[0]);
        CHECK(refusal(network) == "");
        const auto copy = network;
        CHECK(refusal(copy) == message);
    };
    float_network<deployed<whole>> floats(of.from);
    check(floats, "statiq: float_network: runs before an output is read: expected 1 or more, found 0\n");
    auto weights_alone = quantize_weights<weight>(of.from);
    check(weights_alone, "statiq: weight_only_network: runs before an output is read: expected 1 or more, found 0\n");
    simulated_network<numbers<whole>> simulated(quantize_parameters<numbers<whole>>(of.from, of.ranges));
    check(simulated, "statiq: simulation: steps before a node's output is read: expected 1 or more, found 0\n");
}
