// SPDX-License-Identifier: Apache-2.0
// A program's own sources of loss, alone and beside quantization's. Expected values are in the comments.
#include <statiq/analyze/quality.hpp>
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include "../support/refused.hpp"
#include "short_sums.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

using namespace statiq;

namespace {

/// y = 0.5 x0 + 0.25 x1 + 0.005 x2. Weights of 8 bits have steps of 0.5 / 127, inputs steps of 1.
struct net final : network<decltype(input<1, 1, 3> | named<"a">(dense<1>(without_bias)))> {};

quantized_data numbers() {
    parameters<deployed<net>> from = zero_parameters<deployed<net>>();
    from[1].weight = {0.5F, 0.25F, 0.005F};
    const node_ranges<deployed<net>> ranges{{{0, 255}, {0, 255}}};
    constexpr number_format byte = quantized<8, asymmetric>::format;
    constexpr number_format weight = quantized<8, symmetric, per_channel>::format;
    return quantize_data(as_data(from), ranges, {weight, byte, weight});
}

void add_one(const loss_change& c) {
    for (float& x : c.values) x += 1;
}
void change_nothing(const loss_change&) {}
constexpr loss_source idle{.name = "idle", .sums = change_nothing};
constexpr loss_source shifted_inputs{.name = "shifted inputs", .inputs = add_one};
constexpr loss_source shifted_outputs{.name = "shifted outputs", .outputs = add_one};

} // namespace

TEST_CASE("a source of one's own changes what it says, at its place") {
    const quantized_data data = numbers();
    const std::array<loss_sources, 2> sets{own::small_weights, loss_sources::all() | own::small_weights};
    simulation<> simulated(data, sets);
    REQUIRE(data.layers[0].output.scale == 1);
    const auto result = [&](const loss_sources& sources, std::array<float, 3> x) {
        simulated.set_sources(sources);
        return simulated.run(x)[0];
    };
    const float exact = result(loss_sources::none(), {8, 4, 200}); // 4 + 1 + 1
    CHECK(exact == doctest::Approx(6));
    CHECK(result(own::small_weights, {8, 4, 200}) == 5); // without 0.005 x2
    // Both the network's input and the layer are given one more: 2 (0.5 + 0.25 + 0.005) more.
    CHECK(result(shifted_inputs, {8, 4, 200}) == doctest::Approx(6 + 2 * 0.755));
    CHECK(result(shifted_outputs, {8, 4, 200}) == doctest::Approx(6 + 0.755 + 1)); // the input's output is shifted, too
    // 2047 steps of 0.5 / 127 are 8.0590...; the sum of reals is 100.
    CHECK(result(own::short_sums, {200, 0, 0}) == doctest::Approx(2047 * 0.5 / 127));
    CHECK(result(loss_sources::all() | own::short_sums, {200, 0, 0}) == 8);
    CHECK(result(loss_sources::all() | own::small_weights, {8, 4, 200}) == 5);
    CHECK(result(loss_sources::all(), {8, 4, 200}) == 6); // 8 * 127 + 4 * 64 + 200 steps of 0.5 / 127: 5.8, rounded
}

TEST_CASE("sets of sources") {
    constexpr loss_sources some = loss_sources(loss_source::weight) | own::short_sums;
    static_assert(some.size() == 2 && some.has(own::short_sums) && some[1].name == "short sums");
    static_assert(some == (loss_sources(own::short_sums) | loss_source::weight));
    static_assert(some.without(own::short_sums) == loss_source::weight);
    static_assert(loss_sources::all().takes(integer_step::rounded_inputs | integer_step::integer_bounds));
    static_assert(!some.takes(integer_step::rounded_results));
}

TEST_CASE("a source that changes nothing beside quantization's leaves the quantized network, bit for bit") {
    std::mt19937 random(211);
    support::for_each_random_network<0, 4>([&]<class Net>() {
        const auto from = deploy(support::random_parameters<Net>(random));
        const auto samples = support::random_inputs<Net>(random, 3);
        const auto ranges = calibrate(from, samples);
        const quantized_data data =
            quantize_data(as_data(from), ranges,
                          {quantized<8, symmetric, per_channel>::format, quantized<8, asymmetric>::format,
                           quantized<8, symmetric, per_channel>::format});
        simulation<> whole(data);
        simulation<> beside(data);
        beside.set_sources(loss_sources::all() | idle);
        for (std::size_t k = 0; k < samples.size(); ++k) {
            const auto expected = whole.run(samples[k]);
            const auto found = beside.run(samples[k]);
            CHECK(std::equal(expected.begin(), expected.end(), found.begin()));
        }
    });
}

TEST_CASE("qualities have a column for each source, by its name") {
    const quantized_data data = numbers();
    network_data deployed = as_data(zero_parameters<statiq::deployed<net>>());
    deployed.parameters[1].weight = {0.5F, 0.25F, 0.005F};
    const std::vector<std::vector<float>> samples{{200, 0, 0}, {8, 4, 200}};
    const auto lines = measure_quality(deployed, data, reader_of(samples), 1, {}, loss_sources::all(),
                                       loss_sources::all() | own::short_sums | own::small_weights);
    REQUIRE(lines.size() == 2);
    REQUIRE(lines[1].sources.size() == 7);
    CHECK(lines[1].sources[5].source->name == "short sums");
    // 100 becomes 8.059, 6 stays; without 0.005 x2 the second loses 1.
    CHECK(lines[1].of(own::short_sums).noise == doctest::Approx((100 - 2047 * 0.5 / 127) * (100 - 2047 * 0.5 / 127)));
    CHECK(lines[1].of(own::small_weights).noise == doctest::Approx(1));
    CHECK(lines[0].of(own::short_sums).noise == 0);
}

TEST_CASE("weights are changed only for sets that were prepared") {
    const quantized_data data = numbers();
    CHECK(support::refusal_of([&] {
              simulation<> simulated(data);
              simulated.set_sources(own::small_weights);
              simulated.run(std::array<float, 3>{});
          }).find("sources that change weights, prepared at construction") != std::string::npos);
}
