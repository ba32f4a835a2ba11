// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/calibrate/calibrate_data.hpp>
#include <statiq/calibrate/correct_biases.hpp>
#include <statiq/calibrate/entropy.hpp>
#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace statiq;

namespace {

using weight = quantized<4, asymmetric>;
using byte = quantized<8, asymmetric>;
constexpr number_choice numbers{weight::format, byte::format, weight::format};

struct row final
    : network<decltype(input<6, 5, 3> | named<"a">(conv<8>(kernel<3>)) | batch_norm | relu6 | named<"b">(depthwise) |
                       batch_norm | relu | named<"c">(pointwise<6>) | flatten | named<"d">(dense<5>))> {};

} // namespace

TEST_CASE("calibration of data, with threads or without, is calibration of the type") {
    std::mt19937 random(701);
    support::for_each_random_network<0, 6>([&]<class Net>() {
        const auto from = deploy(support::random_parameters<Net>(random));
        const auto samples = support::random_inputs<Net>(random, 7);
        const auto check = [&](const auto& rule) {
            const auto typed = calibrate(from, samples, rule, 2);
            for (const std::size_t threads : {1U, 3U})
                CHECK(calibrate(as_data(from), reader_of(samples), rule, 2, threads) ==
                      std::vector<range>(typed.begin(), typed.end()));
        };
        check(min_max{});
        check(entropy{.bins = 64, .levels = 8});
        const std::string last(deployed<Net>::nodes.back().name.view());
        check(observer_choice{percentile{.share = 95}, {{last, min_max{}}}});
    });
}

TEST_CASE("calibration of data: what goes wrong in a thread is the caller's to catch") {
    std::mt19937 random(702);
    const auto from = deploy(support::random_parameters<row>(random));
    const auto samples = support::random_inputs<row>(random, 6);
    sample_reader bad = reader_of(samples);
    bad.read = [read = bad.read](std::size_t i, std::span<float> to) {
        read(i, to);
        if (i == 5) to[0] = std::numeric_limits<float>::quiet_NaN();
    };
    try {
        calibrate(as_data(from), bad, min_max{}, 1, 2);
        CHECK(false);
    } catch (const calibration_error& error) {
        CHECK(std::string(error.what()) == "calibration: layer 'input', sample 5: expected finite values, found a NaN");
    }
    CHECK_THROWS_AS(calibrate(as_data(from), sample_reader{}, min_max{}), calibration_error);
}

TEST_CASE("bias correction: afterwards each layer's sums have the float network's means") {
    std::mt19937 random(703);
    const auto from = deploy(support::random_parameters<row>(random, support::dead_channels::none));
    const auto samples = support::random_inputs<row>(random, 6);
    const auto ranges = calibrate(from, samples);
    const sample_reader reader = reader_of(samples);
    const network_data before = as_data(from);
    const network_data after = correct_biases(before, ranges, numbers, {}, reader, 2);
    CHECK(as_data(correct_biases<weight, byte>(from, ranges, reader, 2)).parameters == after.parameters);
    const simulation<> floats = float_simulation(before);
    const auto distance = [&](const network_data& network) {
        const quantized_data quantized = quantize_data(network, ranges, numbers);
        std::vector<double> worst; // of each layer, in steps of its accumulator
        for (std::size_t i = 0; i < before.nodes.size(); ++i) {
            if (!before.nodes[i].is_linear()) continue;
            const auto wanted = detail::mean_sums(floats, i, reader, 1);
            const auto found = detail::mean_sums(simulation<>(quantized), i, reader, 1);
            const double input_scale =
                static_cast<double>(quantized.layers[static_cast<std::size_t>(before.nodes[i].input())].output.scale);
            worst.push_back(0);
            for (std::size_t c = 0; c < wanted.size(); ++c)
                worst.back() = std::max(worst.back(), std::abs(wanted[c] - found[c]) / input_scale /
                                                          static_cast<double>(quantized.layers[i].weight_map[c].scale));
        }
        return worst;
    };
    const auto uncorrected = distance(before);
    const auto corrected = distance(after);
    for (std::size_t l = 0; l < corrected.size(); ++l) {
        CHECK(corrected[l] <= 1.01); // two biases are rounded to the accumulator's step: before, and corrected
        CHECK(corrected[l] < uncorrected[l]);
    }
}

TEST_CASE("bias correction changes nothing where quantization is exact") {
    struct net final : network<decltype(input<1, 1, 4> | named<"a">(dense<3>))> {};
    using D = deployed<net>;
    parameters<D> from = zero_parameters<D>();
    from[1].weight = {1, -2, 3, 4, -7, 2, 0, 1, 5, -1, 7, -3};
    from[1].bias = {1, 0, -2};
    struct integers {
        std::vector<std::vector<float>> values{{1, 2, 3, 4}, {15, 0, 7, 1}, {0, 1, 0, 15}};
        [[nodiscard]] std::size_t size() const { return values.size(); }
        [[nodiscard]] std::span<const float> operator[](std::size_t i) const { return values[i]; }
    };
    const integers samples;
    const std::vector<range> ranges{{0, 15}, {-120, 135}}; // one step is one
    const number_choice exact{quantized<4>::format, quantized<4, asymmetric>::format, quantized<4>::format};
    const std::array wide{layer_override{"a", {true, true, quantized<4>::format, byte::format}}};
    const network_data before = as_data(from);
    CHECK(correct_biases(before, ranges, exact, wide, reader_of(samples)).parameters == before.parameters);
}

TEST_CASE("biases are not corrected by what is no number: layer and sample are named") {
    std::mt19937 random(705);
    const auto from = deploy(support::random_parameters<row>(random));
    const auto samples = support::random_inputs<row>(random, 6);
    const auto ranges = calibrate(from, samples);
    sample_reader bad = reader_of(samples);
    bad.read = [read = bad.read](std::size_t i, std::span<float> to) {
        read(i, to);
        if (i >= 4) to[0] = std::numeric_limits<float>::quiet_NaN();
    };
    for (const std::size_t threads : {1U, 2U, 3U}) {
        try {
            correct_biases<weight, byte>(from, ranges, bad, threads);
            FAIL("expected calibration_error");
        } catch (const calibration_error& error) {
            CHECK(std::string(error.what()) ==
                  "calibration: layer 'a', sample 4: expected finite values, found a NaN or an infinity");
        }
    }
}
