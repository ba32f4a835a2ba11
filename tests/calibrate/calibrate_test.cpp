// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace statiq;

namespace {

/// The extremes of every node's output over samples [first, last).
template <graph_type G>
std::array<batch_range, node_count<G>> extremes(float_network<G>& network, const support::random_samples& samples,
                                                std::size_t first, std::size_t last) {
    std::array<batch_range, node_count<G>> seen{};
    for (std::size_t s = first; s < last; ++s)
        network.run(samples[s].data(), [&]<std::size_t I>(node_index<I>, const float* values) {
            const auto [low, high] = std::minmax_element(values, values + G::nodes[I].out.size());
            seen[I] = {std::min(seen[I].min, *low), std::max(seen[I].max, *high)};
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
        const auto expected = extremes(network, samples, 0, 5);
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
                const auto seen = extremes(network, samples, first, std::min<std::size_t>(first + batch, 7));
                for (std::size_t i = 0; i < node_count<D>; ++i) rule.update(seen[i], expected[i], first == 0);
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
