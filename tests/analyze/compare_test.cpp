// SPDX-License-Identifier: Apache-2.0
#include <statiq/analyze/compare.hpp>
#include <statiq/analyze/observed.hpp>
#include <statiq/analyze/report.hpp>
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/simulate/simulated_network.hpp>

#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace statiq;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;

struct island final : network<decltype(input<6, 6, 2> | named<"a">(conv<4>(kernel<3>)) | relu |
                                       with<float32>(named<"b">(conv<3>)) | flatten | named<"c">(dense<4>))> {};

/// An execution whose layers are given.
template <graph_type G>
struct given_execution {
    using graph = G;
    std::vector<std::vector<std::vector<float>>> layers; ///< [sample][node]
    std::size_t sample = 0;

    template <class Observe>
    void run(std::span<const float>, Observe&& observe) {
        for_each_node<G>([&]<std::size_t I>(node_index<I> index) {
            observe(index, static_cast<const float*>(layers[sample][I].data()));
        });
        ++sample;
    }
};

} // namespace

TEST_CASE("signal to noise: 10 log10 of the powers' ratio (P1 (6)), and the mean squared error") {
    signal_to_noise s;
    CHECK(s.mean_squared_error() == 0);
    s.add(3, 3);
    s.add(-4, -4);
    CHECK(s.sqnr() == infinite);
    CHECK(s.mean_squared_error() == 0);
    s.add(0, 0.5F);
    CHECK(s.sqnr() == doctest::Approx(20).epsilon(1e-12)); // 25 / 0.25
    CHECK(s.mean_squared_error() == doctest::Approx(0.25 / 3).epsilon(1e-12));
    s.add(5, 4.5F); // 50 / 0.5
    CHECK(s.sqnr() == doctest::Approx(20).epsilon(1e-12));
    CHECK(s.count == 4);

    signal_to_noise silence; // noise, and no signal
    silence.add(0, 1);
    CHECK(silence.sqnr() == -infinite);
}

TEST_CASE("a quantizer's noise is its step squared by 12 (P1 (7))") {
    std::mt19937 random(171);
    const affine map{1.0F / 128, 128};
    const double step = 1.0 / 128;
    // Half a step beyond both ends the errors are still uniform in a step.
    std::uniform_real_distribution<double> uniform(-128.5 * step, 127.5 * step);
    signal_to_noise s;
    constexpr int count = 200000;
    for (int i = 0; i < count; ++i) {
        const auto x = static_cast<float>(uniform(random));
        s.add(x, fake_quantize(x, map, byte::format));
    }
    // Signal (256 steps)^2 / 12 + (step / 2)^2, noise step^2 / 12. The mean square of n values that are uniform in an
    // interval has the relative deviation sqrt(4/5 / n); five of the two together.
    const double expected = 10 * std::log10(256.0 * 256.0 + 3);
    const double deviation = 10 / std::log(10.0) * std::sqrt(2 * 0.8 / count);
    CHECK(std::abs(s.sqnr() - expected) <= 5 * deviation);
}

TEST_CASE("equal executions have infinite ratios, layer by layer") {
    std::mt19937 random(172);
    support::for_each_random_network<0, 4>([&]<class Net>() {
        const auto from = support::random_parameters<Net>(random);
        float_network first(from);
        float_network second(from);
        const auto lines = compare(first, second, support::random_inputs<Net>(random, 2));
        REQUIRE(lines.size() == node_count<Net>);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            CHECK(lines[i].name == Net::nodes[i].name.view());
            CHECK(lines[i].word == Net::nodes[i].word());
            CHECK(lines[i].out == Net::nodes[i].out);
            CHECK(lines[i].error.sqnr() == infinite);
            CHECK(lines[i].error.count == 2 * Net::nodes[i].out.size());
        }
    });
}

TEST_CASE("powers are summed over all samples before the ratio is taken") {
    struct flat final : network<decltype(input<1, 1, 2> | dense<2>)> {};
    using layers = std::vector<std::vector<std::vector<float>>>;
    given_execution<flat> reference{.layers = layers{{{1, 0}, {2, 2}}, {{0, 3}, {4, 0}}}};
    given_execution<flat> other{.layers = layers{{{1, 0}, {2, 1}}, {{0, 3}, {4, 0}}}};
    std::mt19937 random(0);
    const support::random_samples two(random, 2, 2); // how many there are is all that counts
    const auto lines = compare(reference, other, two);
    CHECK(lines[0].error.sqnr() == infinite);
    CHECK(lines[1].error.signal == 24);
    CHECK(lines[1].error.noise == 1);
    CHECK(lines[1].error.sqnr() == doctest::Approx(10 * std::log10(24.0)).epsilon(1e-12));
    CHECK(lines[1].error.mean_squared_error() == 0.25);
}

TEST_CASE("an integer model is compared with the float layers it stands for, conversions with their sources") {
    std::mt19937 random(173);
    using D = deployed<island>;
    using Q = numbers_chosen<D, weight, byte>;
    const auto from = deploy(support::random_parameters<island>(random));
    const auto samples = support::random_inputs<island>(random, 3);
    const auto ranges = calibrate(from, samples);
    auto model = quantize<weight, byte>(from, ranges);
    float_network floats(from);
    observed watched(model);
    const auto lines = compare(floats, watched, samples);
    REQUIRE(lines.size() == node_count<Q>);
    REQUIRE(node_count<Q> == node_count<D> + 2);

    // The same by hand, through the network itself.
    std::vector<signal_to_noise> expected(node_count<Q>);
    for (std::size_t s = 0; s < samples.size(); ++s) {
        std::vector<std::vector<float>> real(node_count<D>);
        floats.run(samples[s], [&]<std::size_t I>(node_index<I>, const float* values) {
            real[I].assign(values, values + D::nodes[I].out.size());
        });
        std::vector<std::uint8_t> input;
        for (const float x : samples[s])
            input.push_back(static_cast<std::uint8_t>(quantize(x, model.network().input_map(), byte::format)));
        const auto seen = support::run_seen(model.network(), input);
        for (std::size_t i = 0; i < node_count<Q>; ++i)
            for (std::size_t k = 0; k < seen.values[i].size(); ++k)
                expected[i].add(real[static_cast<std::size_t>(Q::origin[i])][k], seen.values[i][k]);
    }
    for (std::size_t i = 0; i < node_count<Q>; ++i) {
        CHECK(lines[i].error.signal == expected[i].signal);
        CHECK(lines[i].error.noise == expected[i].noise);
        CHECK(lines[i].error.noise > 0);
    }

    // Simulated and integer layers are of one graph, and equal here; so is their distance from float.
    simulated_network<Q> simulated(quantize_parameters<Q>(from, ranges));
    const auto predicted = compare(floats, simulated, samples);
    for (std::size_t i = 0; i < node_count<Q>; ++i) CHECK(predicted[i].error.noise == expected[i].noise);
    for (const auto& line : compare(simulated, watched, samples)) CHECK(line.error.sqnr() == infinite);
}

TEST_CASE("decibels as text: exact is said of no noise, not of no signal") {
    CHECK(decibels(infinite) == "exact");
    CHECK(decibels(-infinite) == "-inf");
    CHECK(decibels(12.34) == "12.3");
    CHECK(decibels(-3.06) == "-3.1");
}

TEST_CASE("a report has a line a layer, with name, operation, shape, ratio and error") {
    std::vector<layer_comparison> lines(2);
    lines[0] = {"stem", "convolution", {4, 5, 6}, {}};
    lines[0].error.add(2, 2);
    lines[1] = {"a_longer_name", "add", {1, 1, 10}, {}};
    lines[1].error.add(10, 9);
    std::istringstream text(report(lines));
    std::vector<std::vector<std::string>> words;
    std::size_t width = 0;
    for (std::string line; std::getline(text, line);) {
        std::istringstream cells(line);
        words.emplace_back();
        for (std::string word; cells >> word;) words.back().push_back(word);
        if (width == 0) width = line.size();
        CHECK(line.size() == width); // the columns stand under each other
    }
    REQUIRE(words.size() == 4);
    CHECK(words[0] == std::vector<std::string>{"layer", "operation", "output", "SQNR", "dB", "MSE"});
    CHECK(words[2] == std::vector<std::string>{"stem", "convolution", "4x5x6", "exact", "0"});
    CHECK(words[3] == std::vector<std::string>{"a_longer_name", "add", "1x1x10", "20.0", "1"});
}
