// SPDX-License-Identifier: Apache-2.0
#include <statiq/analyze/quality.hpp>
#include <statiq/analyze/sensitivity.hpp>
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace statiq;

namespace {

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;
constexpr number_choice bytes{weight::format, byte::format, weight::format};

struct row final : network<decltype(input<6, 5, 3> | named<"a">(conv<8>(kernel<3>)) | batch_norm | relu6 |
                                    named<"b">(depthwise) | batch_norm | relu | flatten | named<"c">(dense<5>))> {};

template <int Bits>
double measured_sqnr(std::mt19937& random, double low, double high, int count) {
    const affine map =
        choose_affine(quantized<Bits, asymmetric>::format, {static_cast<float>(low), static_cast<float>(high)});
    std::uniform_real_distribution<double> uniform(low, high);
    signal_to_noise s;
    for (int i = 0; i < count; ++i) {
        const auto x = static_cast<float>(uniform(random));
        s.add(x, fake_quantize(x, map, quantized<Bits, asymmetric>::format));
    }
    return s.sqnr();
}

} // namespace

TEST_CASE("the theoretical ratio's constants are P1 (8)'s") {
    // power = (max - min)^2 leaves the constant alone
    for (const auto& [bits, constant] :
         {std::pair{8, 58.9226}, {4, 34.31}, {5, 40.62}, {6, 46.78}, {7, 52.87}, {16, 107.12}})
        CHECK(std::abs(theoretical_sqnr(9, -1, 2, bits) - constant) < 0.006);
}

TEST_CASE("a uniform signal's ratio is 6.02 dB a bit plus a constant, as P1 (8) says") {
    std::mt19937 random(501);
    constexpr int count = 100000;
    // Zero on the grid and whole steps at both ends, so that the range is not moved; power of a uniform signal on
    // [-1, 1]: 1/3. With 2^b - 1 steps (odd) zero falls between two integers: the zero point shifts the grid by half a
    // step and half a step of 2^b - 1 saturates at one end, where the error is up to a whole step. That is a share
    // 1/(2^b - 1) / 2 of the values with a mean squared error of 1/3 step^2 instead of 1/12.
    std::array<double, 13> measured{};
    measured[3] = measured_sqnr<3>(random, -1, 1, count);
    measured[4] = measured_sqnr<4>(random, -1, 1, count);
    measured[5] = measured_sqnr<5>(random, -1, 1, count);
    measured[6] = measured_sqnr<6>(random, -1, 1, count);
    measured[8] = measured_sqnr<8>(random, -1, 1, count);
    measured[10] = measured_sqnr<10>(random, -1, 1, count);
    measured[12] = measured_sqnr<12>(random, -1, 1, count);
    // The mean of n squares of uniform values deviates by sqrt(4/5 / n) of itself; signal and noise, five deviations.
    const double deviation = 5 * 10 / std::log(10.0) * std::sqrt(2 * 0.8 / count);
    for (const int bits : {3, 4, 5, 6, 8, 10, 12}) {
        CAPTURE(bits);
        const double expected = theoretical_sqnr(1.0 / 3, -1, 1, bits);
        const double saturating = 0.5 / (std::exp2(bits) - 1);
        const double less = 10 * std::log10(1 + saturating * 3);
        CHECK(measured[static_cast<std::size_t>(bits)] <= expected + deviation);
        CHECK(measured[static_cast<std::size_t>(bits)] >= expected - less - deviation);
    }
    CHECK(std::abs((measured[12] - measured[8]) / 4 - 6.02) < 0.05);
    CHECK(std::abs((measured[10] - measured[6]) / 4 - 6.02) < 0.1);
}

TEST_CASE("powers added in bulk are those added one by one, to rounding") {
    std::mt19937 random(502);
    for (const std::size_t size : {0UL, 1UL, 7UL, 8UL, 29UL, 1000UL}) {
        std::vector<float> x(size);
        std::vector<float> y(size);
        for (float& v : x) v = support::uniform(random, -1, 1);
        for (float& v : y) v = support::uniform(random, -1, 1);
        signal_to_noise one;
        signal_to_noise bulk;
        for (std::size_t i = 0; i < size; ++i) one.add(x[i], y[i]);
        bulk.add(x.data(), y.data(), size);
        CHECK(bulk.count == one.count);
        CHECK(bulk.signal == doctest::Approx(one.signal).epsilon(1e-12));
        CHECK(bulk.noise == doctest::Approx(one.noise).epsilon(1e-12));
    }
}

TEST_CASE("in a network of one layer isolated and accumulated quality are the same") {
    std::mt19937 random(503);
    const auto check = [&]<class Net>(Net) {
        const auto from = deploy(support::random_parameters<Net>(random));
        const auto samples = support::random_inputs<Net>(random, 4);
        const auto ranges = calibrate(from, samples);
        const network_data data = as_data(from);
        const auto lines = measure_quality(data, quantize_data(data, ranges, bytes), reader_of(samples));
        REQUIRE(lines.size() == 2);
        for (const layer_quality& line : lines) {
            CHECK(line.accumulated.signal == line.isolated.signal);
            CHECK(line.accumulated.noise == line.isolated.noise);
            CHECK(line.accumulated.count == line.isolated.count);
            CHECK(line.accumulated.noise > 0);
        }
    };
    struct convolution final : network<decltype(input<6, 5, 3> | named<"a">(conv<8>(kernel<3>)) | batch_norm | relu6)> {
    };
    struct depthwise_net final : network<decltype(input<6, 5, 3> | named<"a">(depthwise) | batch_norm)> {};
    struct dense_net final : network<decltype(input<1, 1, 40> | named<"a">(dense<8>) | relu)> {};
    check(convolution{});
    check(depthwise_net{});
    check(dense_net{});
}

TEST_CASE(
    "quality: accumulated errors are those of the two networks run by themselves; threads change roundings only") {
    std::mt19937 random(504);
    const auto from = deploy(support::random_parameters<row>(random));
    const auto samples = support::random_inputs<row>(random, 5);
    const auto ranges = calibrate(from, samples);
    const network_data data = as_data(from);
    const quantized_data numbers = quantize_data(data, ranges, bytes);
    const auto lines = measure_quality(data, numbers, reader_of(samples));
    const auto threaded = measure_quality(data, numbers, reader_of(samples), 3);
    simulation<> floats = float_simulation(data);
    simulation<> integers(numbers);
    REQUIRE(lines.size() == 4); // flatten computes nothing
    CHECK(lines[1].name == "a");
    CHECK(lines[2].depthwise);
    CHECK(lines[3].weight_bits == 8);
    std::size_t at = 0;
    for (std::size_t i = 0; i < data.nodes.size(); ++i) {
        if (data.nodes[i].is<operations::reshape>()) continue;
        signal_to_noise expected;
        for (std::size_t s = 0; s < samples.size(); ++s) {
            std::vector<float> reference;
            floats.run(samples[s], [&](std::size_t k, const float* values) {
                if (k == i) reference.assign(values, values + data.nodes[i].out.size());
            });
            integers.run(samples[s], [&](std::size_t k, const float* values) {
                if (k == i) expected.add(reference.data(), values, reference.size());
            });
        }
        CHECK(lines[at].accumulated.noise == expected.noise);
        CHECK(lines[at].accumulated.signal == expected.signal);
        CHECK(threaded[at].accumulated.noise == doctest::Approx(expected.noise).epsilon(1e-12));
        CHECK(threaded[at].of(loss_source::weight).noise ==
              doctest::Approx(lines[at].of(loss_source::weight).noise).epsilon(1e-12));
        ++at;
    }
    // Only weights have the source weight, and a dense layer without activation clips nothing.
    CHECK(lines[0].of(loss_source::weight).noise == 0);
    CHECK(lines[3].of(loss_source::clipping).noise == 0);
    CHECK(lines[3].of(loss_source::weight).noise > 0);
    CHECK(std::isfinite(mean_sqnr(lines)));
}

TEST_CASE("a rounding's measured ratio is the theoretical one where values spread over the steps") {
    std::mt19937 random(505);
    struct net final : network<decltype(input<1, 1, 64> | named<"a">(dense<64>))> {};
    const auto from = deploy(support::random_parameters<net>(random));
    const auto samples = support::random_inputs<net>(random, 200);
    const network_data data = as_data(from);
    const auto lines = measure_quality(data, quantize_data(data, calibrate(from, samples), bytes), reader_of(samples));
    const double measured = lines[1].of(loss_source::requantization).sqnr();
    CHECK(std::abs(measured - lines[1].theoretical) < 0.15); // 12800 values: a deviation of 0.04 dB
}

TEST_CASE("sensitivity: one layer rounded, the rest float") {
    std::mt19937 random(506);
    const auto from = deploy(support::random_parameters<row>(random));
    const auto samples = support::random_inputs<row>(random, 4);
    const network_data data = as_data(from);
    const std::array formats{quantized<3, symmetric, per_channel>::format,
                             quantized<8, symmetric, per_channel>::format};
    const auto measured = measure_sensitivity(data, formats, reader_of(samples), 2);
    REQUIRE(measured.size() == 3);
    simulation<> floats = float_simulation(data);
    for (std::size_t l = 0; l < 3; ++l) {
        CHECK(measured[l].noise[0] > measured[l].noise[1]);
        for (std::size_t f = 0; f < 2; ++f) {
            // The same as an override in a float network.
            const layer_override only{measured[l].layer, {true, true, formats[f], float32::format}};
            simulation<> one(quantize_data(data, std::vector<range>(data.nodes.size()), {}, std::array{only}));
            signal_to_noise expected;
            for (std::size_t s = 0; s < samples.size(); ++s) {
                const auto reference = floats.run(samples[s]);
                const std::vector<float> kept(reference.begin(), reference.end());
                expected.add(kept.data(), one.run(samples[s]).data(), kept.size());
            }
            CHECK(measured[l].noise[f] == expected.noise / expected.signal);
        }
    }
    CHECK(measured[0].bits[0] == 3 * 3 * 3 * 8 * 3);
}

TEST_CASE("mixed precision: the budget is kept, and no other choice of widths within it is better") {
    std::mt19937 random(507);
    for (int round = 0; round < 20; ++round) {
        // Noises as rounding makes them: a quarter a bit. Then each step of narrowing costs more than the one before,
        // and the greedy choice is optimal whenever it meets the budget exactly.
        std::vector<layer_sensitivity> layers(4);
        for (auto& layer : layers) {
            const double strength = std::exp2(support::uniform(random, -6, 6));
            for (int bits = 2; bits <= 8; ++bits) {
                number_format format = weight::format;
                format.bits = bits;
                layer.formats.push_back(format);
                layer.bits.push_back(100 * bits);
                layer.noise.push_back(strength * std::exp2(-2.0 * bits));
            }
        }
        for (const std::int64_t budget : {800, 1200, 1900, 2500, 3200}) {
            const mixed_precision chosen = choose_widths(layers, budget);
            REQUIRE(chosen.layers.size() == 4);
            CHECK(chosen.bits == budget);
            double best = std::numeric_limits<double>::infinity();
            for (int code = 0; code < 7 * 7 * 7 * 7; ++code) {
                std::int64_t bits = 0;
                double noise = 0;
                for (int l = 0, rest = code; l < 4; ++l, rest /= 7) {
                    bits += layers[static_cast<std::size_t>(l)].bits[static_cast<std::size_t>(rest % 7)];
                    noise += layers[static_cast<std::size_t>(l)].noise[static_cast<std::size_t>(rest % 7)];
                }
                if (bits <= budget) best = std::min(best, noise);
            }
            CHECK(chosen.predicted_noise == doctest::Approx(best).epsilon(1e-9));
        }
        CHECK(choose_widths(layers, 799).layers.empty());
        CHECK(choose_widths(layers, 1 << 20).bits == 3200);
    }
}
