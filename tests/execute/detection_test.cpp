// SPDX-License-Identifier: Apache-2.0
// A detector's backbone and neck with random weights, from one image to three levels of features.
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/networks/yolov6.hpp>
#include <statiq/passes/require_merged.hpp>

#include "../support/execution_laws.hpp"

using namespace statiq;

namespace {

using net = networks::yolov6_features<13, 17, 64>;
using D = deployed<net>;
using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;
using Q = numbers_chosen<D, weight, byte>;

static_assert(net::nodes[output_index<net, "p3">].out == extents{8, 8, 16});
static_assert(net::nodes[output_index<net, "p4">].out == extents{4, 4, 40});
static_assert(net::nodes[output_index<net, "p5">].out == extents{2, 2, 72});
static_assert(output_index<Q, "p5"> == node_count<Q> - 1);
static_assert(require_merged<net>);

/// No batch norm, no sum; every block one convolution.
static_assert([] {
    for (const node& n : D::nodes)
        if (n.is<operations::add>() || n.is<operations::batch_norm>() || n.traits().clamps) return false;
    return true;
}());

struct enlarged final : network<decltype(input<5, 4, 3> | conv<6>(kernel<3>) | named<"up">(upsample<2, 3>) |
                                         outputs<"up"> | concat(conv<3>, upsample<1> | conv<2>) | max_pool)> {};

} // namespace

TEST_CASE("upsampling keeps the laws of execution") {
    std::mt19937 random(121);
    support::combination_tally results;
    support::check_network<enlarged, weight, byte>(random, results);
    support::check_network<enlarged, quantized<4>, quantized<12, asymmetric>>(random, results);
    results.report();
}

TEST_CASE("a YOLOv6-style backbone and neck keeps the laws of execution, end to end in 8 bits") {
    std::mt19937 random(122);
    support::combination_tally results;
    const auto from = deploy(support::random_parameters<net>(random, support::dead_channels::none));
    const auto ranges = calibrate(from, support::random_inputs<net>(random, 2));
    const auto samples = support::random_inputs<net>(random, 1);
    const auto quantized_layers_of = quantize_parameters<Q>(from, ranges);
    results.float_multiplier += support::check_executions<float_multiplier>(quantized_layers_of, samples, random);
    support::report("float_multiplier", results.float_multiplier);
}

TEST_CASE("every execution shows the named outputs as the observers saw them") {
    std::mt19937 random(123);
    const auto from = deploy(support::random_parameters<net>(random, support::dead_channels::none));
    const auto samples = support::random_inputs<net>(random, 2);
    const auto ranges = calibrate(from, samples);

    float_network<D> floats(from);
    simulated_network<Q> simulated(quantize_parameters<Q>(from, ranges));
    auto integers = quantize<weight, byte>(from, ranges);
    for (std::size_t s = 0; s < samples.size(); ++s) {
        std::array<std::vector<float>, 3> seen;
        floats.run(samples[s], [&]<std::size_t I>(node_index<I>, const float* values) {
            constexpr int place = D::nodes[I].output;
            if constexpr (place > 0) seen[place - 1].assign(values, values + D::nodes[I].out.size());
        });
        const auto alike = [](const auto& a, const auto& b) {
            return std::equal(a.begin(), a.end(), b.begin(), b.end());
        };
        CHECK(alike(floats.output<"p3">(), seen[0]));
        CHECK(alike(floats.output<"p4">(), seen[1]));
        CHECK(alike(floats.output<"p5">(), seen[2]));

        std::array<std::vector<float>, 3> simulated_seen;
        const auto result = simulated.run(samples[s], [&]<std::size_t I>(node_index<I>, const float* values) {
            constexpr int place = Q::nodes[I].output;
            if constexpr (place > 0) simulated_seen[place - 1].assign(values, values + Q::nodes[I].out.size());
        });
        CHECK(alike(simulated.output<"p3">(), simulated_seen[0]));
        CHECK(alike(simulated.output<"p4">(), simulated_seen[1]));
        CHECK(alike(result, simulated.output<"p5">()));

        const auto last = integers(samples[s]);
        std::array<float, 8 * 8 * 16> p3{};
        std::array<float, 4 * 4 * 40> p4{};
        std::array<float, 2 * 2 * 72> p5{};
        integers.output<"p3">(p3);
        integers.output<"p4">(p4);
        integers.output<"p5">(p5);
        CHECK(alike(p5, last));
        // The integer network is the simulated one to a step at every layer; features are not constant.
        const auto close = [](const auto& a, const auto& b, const affine& map) {
            std::size_t apart = 0;
            for (std::size_t k = 0; k < a.size(); ++k) apart += std::abs(a[k] - b[k]) > 1.001F * map.scale ? 1U : 0U;
            return apart == 0;
        };
        CHECK(close(p3, simulated.output<"p3">(), integers.network().map_of(output_index<Q, "p3">)));
        CHECK(close(p4, simulated.output<"p4">(), integers.network().map_of(output_index<Q, "p4">)));
        for (const auto& level : seen) CHECK(*std::max_element(level.begin(), level.end()) > 0);
    }
}
