// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/calibrate/observer_json.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

using namespace statiq;

namespace {

/// The extremes of every node's output over samples [first, last).
template <graph_type G>
std::array<range, node_count<G>> extremes_of(float_network<G>& network, const support::random_samples& samples,
                                             std::size_t first, std::size_t last) {
    std::array<range, node_count<G>> seen{};
    for (std::size_t s = first; s < last; ++s)
        network.run(samples[s].data(), [&]<std::size_t I>(node_index<I>, const float* values) {
            const auto [low, high] = std::minmax_element(values, values + G::nodes[I].out.size());
            seen[I] =
                s == first ? range{*low, *high} : range{std::min(seen[I].min, *low), std::max(seen[I].max, *high)};
        });
    return seen;
}

template <class Action>
std::string failure(const Action& action) {
    try {
        action();
    } catch (const calibration_error& error) {
        return error.what();
    }
    return {};
}

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Samples of any size and content.
struct given_samples {
    std::vector<std::vector<float>> values;
    [[nodiscard]] std::size_t size() const { return values.size(); }
    [[nodiscard]] std::span<const float> operator[](std::size_t index) const { return values[index]; }
};

struct two_layers final : network<decltype(input<1, 1, 2> | named<"first">(dense<2>(without_bias)) |
                                           named<"second">(dense<1>(without_bias)))> {};

parameters<two_layers> two_layers_of(std::vector<float> first, std::vector<float> second) {
    auto made = zero_parameters<two_layers>();
    made[1].weight = std::move(first);
    made[2].weight = std::move(second);
    return made;
}

} // namespace

TEST_CASE("min_max: every node's range is the extremes of its outputs over all samples") {
    std::mt19937 random(161);
    support::for_each_random_network<0, 6>([&]<class Net>() {
        using D = deployed<Net>;
        const auto parameters = deploy(support::random_parameters<Net>(random));
        const auto samples = support::random_inputs<Net>(random, 5);
        float_network<D> network(parameters);
        const auto expected = extremes_of(network, samples, 0, 5);
        for (const std::size_t batch : {1u, 2u, 5u, 9u}) { // batches do not matter to extremes
            const auto ranges = calibrate(parameters, samples, min_max{}, batch);
            for (std::size_t i = 0; i < node_count<D>; ++i) CHECK(ranges[i] == range{expected[i].min, expected[i].max});
        }
        CHECK(calibrate(parameters, samples) == calibrate(parameters, samples, min_max{}, 1));
    });
}

TEST_CASE("moving_average: the extremes of a batch are one observation, the last batch may be short") {
    std::mt19937 random(162);
    support::for_each_random_network<6, 10>([&]<class Net>() {
        using D = deployed<Net>;
        const auto parameters = deploy(support::random_parameters<Net>(random));
        const auto samples = support::random_inputs<Net>(random, 7);
        float_network<D> network(parameters);
        const moving_average rule{.momentum = 0.75F};
        for (const std::size_t batch : {1u, 3u, 7u, 8u}) {
            node_ranges<D> expected{};
            for (std::size_t first = 0; first < 7; first += batch) {
                const auto seen = extremes_of(network, samples, first, std::min<std::size_t>(first + batch, 7));
                for (std::size_t i = 0; i < node_count<D>; ++i)
                    expected[i] = first == 0 ? seen[i]
                                             : range{0.75F * expected[i].min + 0.25F * seen[i].min,
                                                     0.75F * expected[i].max + 0.25F * seen[i].max};
            }
            CHECK(calibrate(parameters, samples, rule, batch) == expected);
        }
    });
}

TEST_CASE("calibration without samples, or with samples of another size, is refused") {
    const auto parameters = two_layers_of({1, 1, 1, 1}, {1, 1});
    CHECK(failure([&] { calibrate(parameters, given_samples{}); }).find("at least one sample") != std::string::npos);
    CHECK(failure([&] { calibrate(parameters, given_samples{{{1, 2}}}, min_max{}, 0); }) != "");
    CHECK(failure([&] {
              calibrate(parameters, given_samples{{{1, 2}, {3, 4}, {5}}});
          }) == "calibration: sample 2: expected 2 values, found 1");
    CHECK(failure([&] {
              calibrate(parameters, given_samples{{{1, 2, 3}}});
          }) == "calibration: sample 0: expected 2 values, found 3");
}

TEST_CASE("a value that is not finite is refused, with the first layer that has it, the sample and what it is") {
    const auto plain = two_layers_of({1, 1, 1, 1}, {1, 1});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(failure([&] {
              calibrate(plain, given_samples{{{1, 2}, {1, nan}}});
          }) == "calibration: layer 'input', sample 1: expected finite values, found a NaN");
    CHECK(failure([&] {
              calibrate(plain, given_samples{{{-infinity, 2}}});
          }) == "calibration: layer 'input', sample 0: expected finite values, found an infinity");
    // The first layer overflows to infinities of both signs, whose sum in the second is a NaN: the first is to blame.
    const auto overflowing = two_layers_of({3e38F, 3e38F, -3e38F, -3e38F}, {1, 1});
    CHECK(failure([&] {
              calibrate(overflowing, given_samples{{{0.25F, 0.25F}, {1, 1}}});
          }) == "calibration: layer 'first', sample 1: expected finite values, found an infinity");
    const auto late = two_layers_of({1, 1, 1, 1}, {3e38F, 3e38F});
    CHECK(failure([&] {
              calibrate(late, given_samples{{{1, 1}}});
          }) == "calibration: layer 'second', sample 0: expected finite values, found an infinity");
}

TEST_CASE("each layer may have an observer of its own") {
    std::mt19937 random(163);
    struct net final : network<decltype(input<4, 4, 3> | named<"a">(conv<5>(kernel<3>)) | relu | named<"b">(conv<4>) |
                                        flatten | named<"c">(dense<6>))> {};
    using D = deployed<net>;
    const auto parameters = deploy(support::random_parameters<net>(random));
    const auto samples = support::random_inputs<net>(random, 6);
    const percentile tight{.share = 90};
    const least_squares narrow{.format = quantized<4, asymmetric>::format};
    const auto mixed =
        calibrate(parameters, samples, observer_choice{moving_average{0.5F}, {{"a", tight}, {"c", narrow}}});
    const auto averages = calibrate(parameters, samples, moving_average{0.5F});
    const auto percentiles = calibrate(parameters, samples, tight);
    const auto squares = calibrate(parameters, samples, narrow);
    for (std::size_t i = 0; i < node_count<D>; ++i) {
        const auto name = D::nodes[i].name.view();
        CHECK(mixed[i] == (name == "a" ? percentiles[i] : name == "c" ? squares[i] : averages[i]));
    }
    CHECK(percentiles[1] != averages[1]);
    CHECK(squares.back() != averages.back());
}

TEST_CASE("shares of the data, observed apart and merged after each pass, give the ranges of the whole") {
    std::mt19937 random(164);
    struct net final
        : network<decltype(input<4, 4, 3> | named<"a">(conv<5>(kernel<3>)) | relu | flatten | named<"b">(dense<6>))> {};
    using D = deployed<net>;
    const auto parameters = deploy(support::random_parameters<net>(random));
    const auto samples = support::random_inputs<net>(random, 8);
    float_network<D> network(parameters);
    const auto observe = [&](auto& seen, std::size_t first, std::size_t last) {
        detail::observe_samples(seen, samples, first, last, 2, [&](std::span<const float> sample) {
            network.run(sample.data(), [&]<std::size_t I>(node_index<I>, const float* values) { seen.see(I, values); });
        });
    };
    const auto check = [&]<class Rule>(const Rule& rule, float tolerance) {
        const auto whole = calibrate(parameters, samples, rule, 2);
        calibration<Rule> first(D::nodes, rule);
        for (int pass = 0; pass < rule.passes(); ++pass) {
            // The second share is observed elsewhere: it goes there, and comes back, as text.
            calibration<Rule> second(D::nodes, rule);
            if (pass > 0) restore(nlohmann::json::parse(stored(first).dump()), second);
            observe(second, 4, 8);
            calibration<Rule> returned(D::nodes, rule);
            restore(nlohmann::json::parse(stored(second).dump()), returned);
            for (std::size_t i = 0; i < node_count<D>; ++i) CHECK(returned.states()[i] == second.states()[i]);
            observe(first, 0, 4);
            first.merge(returned);
            first.end_pass();
            if constexpr (std::is_same_v<Rule, entropy> || std::is_same_v<Rule, percentile> ||
                          std::is_same_v<Rule, least_squares>) {
                // What the second share began with, the counts so far, has been merged in: none in the second pass.
                CHECK((pass == 0 || first.states()[1].counted.total() == 8 * D::nodes[1].out.size()));
            }
        }
        const auto merged = first.ranges();
        for (std::size_t i = 0; i < node_count<D>; ++i) {
            CHECK(std::abs(merged[i].min - whole[i].min) <= tolerance);
            CHECK(std::abs(merged[i].max - whole[i].max) <= tolerance);
        }
    };
    check(min_max{}, 0);
    check(moving_average{0.75F}, 1e-5F); // |ends| < 8, a dozen roundings to 24 bits
    check(percentile{.share = 95, .bins = 64}, 0);
    check(entropy{.bins = 64, .levels = 8}, 0);
    check(least_squares{.format = quantized<3, asymmetric>::format}, 0);
    check(observer_choice{percentile{.share = 95}, {{"a", entropy{.bins = 64, .levels = 8}}}}, 0);
}

TEST_CASE("stored observations of another network or another observer are refused with what differs") {
    const auto refusal = [](const nlohmann::json& from, auto& to) { return failure([&] { restore(from, to); }); };
    calibration<min_max> seen(two_layers::nodes, min_max{});
    calibration<entropy> other(two_layers::nodes, entropy{});
    CHECK(refusal(stored(seen), other) ==
          "calibration: stored observations: layer 'input': expected the observer entropy, found \"min_max\"");
    struct one_layer final : network<decltype(input<1, 1, 2> | named<"first">(dense<2>(without_bias)))> {};
    calibration<min_max> shorter(one_layer::nodes, min_max{});
    CHECK(refusal(stored(seen), shorter) == "calibration: stored observations: expected 2 layers, found 3");
    auto renamed = stored(seen);
    renamed["layers"][2]["layer"] = "third";
    CHECK(refusal(renamed, seen) == "calibration: stored observations: expected layer 'second', found 'third'");
    CHECK(refusal(nlohmann::json::object(), seen).find("layers") != std::string::npos);
    CHECK(failure([&] { calibration<min_max>(one_layer::nodes, min_max{}).merge(seen); }) != "");
}
