// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/io/images.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/networks/digits.hpp>

#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/real_oracle.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace statiq;

namespace {

using digits = networks::digits;
using logits = std::array<float, 10>;

int best_class(std::span<const float> of) {
    return static_cast<int>(std::max_element(of.begin(), of.end()) - of.begin());
}
/// How much the best class leads.
double lead(std::span<const float> of) {
    std::vector<float> sorted(of.begin(), of.end());
    std::sort(sorted.rbegin(), sorted.rend());
    return static_cast<double>(sorted[0]) - static_cast<double>(sorted[1]);
}

/// The example data, read once.
struct example {
    std::filesystem::path folder = std::filesystem::path(STATIQ_SOURCE_DIR) / "examples" / "data";
    io::preprocessing pixels{.scale = {1.0F / 8.0F}, .offset = {-1.0F}};
    io::image_set images{io::read_npy(folder / "digits_test_images.npy"), input_extents<digits>, pixels};
    io::image_set calibration{io::read_npy(folder / "digits_calibration_images.npy"), input_extents<digits>, pixels};
    std::vector<std::int32_t> labels = io::read_labels(folder / "digits_test_labels.npy", images.size());
    parameters<digits> trained = load<digits>(folder / "digits.safetensors");
    std::vector<logits> expected{};
    std::vector<int> predictions{};

    example() {
        const io::safetensors file = io::read_safetensors(folder / "digits_expected.safetensors");
        const auto values = file.at("logits").require(io::dtype::f32, {300, 10}).values<float>();
        const auto classes = file.at("predictions").require(io::dtype::i32, {300}).values<std::int32_t>();
        for (std::size_t i = 0; i < images.size(); ++i) {
            logits row{};
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(10 * i), 10, row.begin());
            expected.push_back(row);
            predictions.push_back(classes[i]);
        }
    }
    static const example& data() {
        static const example read;
        return read;
    }
};

template <class Network>
std::vector<logits> run_all(Network&& network, const io::image_set& images) {
    std::vector<logits> all;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto output = network(images[i]);
        logits row{};
        std::copy(output.begin(), output.end(), row.begin());
        all.push_back(row);
    }
    return all;
}

} // namespace

TEST_CASE("the digits network computes the logits NumPy computed, and predicts the same") {
    const example& data = example::data();
    REQUIRE(data.images.size() == 300);
    const auto parameters = deploy(data.trained);
    const auto trained = run_all(float_network<digits>(data.trained), data.images);
    const auto deployed_logits = run_all(float_network<deployed<digits>>(parameters), data.images);
    // Folding rounds each parameter once; those of this network are below 1000.
    constexpr support::parameter_error folding{.relative = support::unit_roundoff, .absolute = 0x1p-40};
    std::size_t outside = 0;
    double largest_bound = 0;
    double largest_error = 0;
    for (std::size_t i = 0; i < data.images.size(); ++i) {
        CHECK(best_class(trained[i]) == data.predictions[i]);
        CHECK(best_class(deployed_logits[i]) == data.predictions[i]);
        if (i >= 100) continue; // the bound is slow to compute
        const auto bound = support::real_execution(data.trained, data.images[i]).back();
        const auto folded_bound = support::real_execution(parameters, data.images[i], folding).back();
        for (std::size_t c = 0; c < 10; ++c) {
            const auto expected = static_cast<double>(data.expected[i][c]);
            const double stored = std::abs(expected) * support::unit_roundoff; // NumPy's doubles, rounded to float
            // In double a rounding is 2^-29 times as large, and so is its bound.
            if (!(std::abs(bound.value[c] - expected) <= stored + 0x1p-28 * bound.error[c])) ++outside;
            const auto error = std::abs(static_cast<double>(trained[i][c]) - expected);
            if (!(error <= bound.error[c] + stored)) ++outside;
            if (!(std::abs(static_cast<double>(deployed_logits[i][c]) - expected) <= folded_bound.error[c] + stored))
                ++outside;
            largest_bound = std::max(largest_bound, bound.error[c]);
            largest_error = std::max(largest_error, error);
        }
    }
    CHECK(outside == 0);
    MESSAGE("float logits: largest error ", largest_error, ", largest bound ", largest_bound);
}

namespace {

template <class Weight, class Scheme>
void check_accuracy(const std::string& name, const parameters<deployed<digits>>& parameters) {
    using Q = numbers_chosen<deployed<digits>, Weight, quantized<8, asymmetric>>;
    const example& data = example::data();
    const auto ranges = calibrate(parameters, data.calibration);
    auto model = quantize<Weight, quantized<8, asymmetric>, Scheme>(parameters, ranges);
    float_network<deployed<digits>> floats(parameters);

    // A class can only change where its lead is smaller than what two logits are off by. How much that is, the
    // calibration images tell; the test images are others, so it is doubled.
    const auto calibration_floats = run_all(floats, data.calibration);
    const auto calibration_integers = run_all(model, data.calibration);
    double worst = 0;
    for (std::size_t i = 0; i < calibration_floats.size(); ++i)
        for (std::size_t c = 0; c < 10; ++c)
            worst = std::max(worst, std::abs(static_cast<double>(calibration_integers[i][c]) -
                                             static_cast<double>(calibration_floats[i][c])));

    const auto exact = run_all(floats, data.images);
    const auto integers = run_all(model, data.images);
    std::size_t in_doubt = 0;
    std::size_t changed = 0;
    std::size_t float_right = 0;
    std::size_t right = 0;
    for (std::size_t i = 0; i < data.images.size(); ++i) {
        if (lead(exact[i]) < 2 * (2 * worst)) ++in_doubt;
        if (best_class(exact[i]) != best_class(integers[i])) ++changed;
        if (best_class(exact[i]) == data.labels[i]) ++float_right;
        if (best_class(integers[i]) == data.labels[i]) ++right;
    }
    MESSAGE(name, ": ", right, " of 300 right, ", float_right, " in float; ", changed, " classes changed, ", in_doubt,
            " in doubt; logits off by up to ", worst);
    CHECK(changed <= in_doubt);
    CHECK(in_doubt < 30);      // or the bound says nothing
    CHECK(float_right == 297); // as digits_expected.safetensors says

    std::mt19937 random(141);
    const auto quantized = quantize_parameters<Q>(parameters, ranges);
    support::report(name, support::check_executions<Scheme>(quantized, first_samples(data.images, 20), random));
}

} // namespace

TEST_CASE("in 8 bits the digits network changes its mind only where float was in doubt") {
    const auto parameters = deploy(example::data().trained);
    check_accuracy<quantized<8, symmetric, per_channel>, float_multiplier>("per channel", parameters);
    check_accuracy<quantized<8, symmetric, per_channel>, gemmlowp>("per channel, gemmlowp", parameters);
    check_accuracy<quantized<8, asymmetric>, single_rounding>("per tensor, single rounding", parameters);
    const auto repaired = deploy(example::data().trained, {.repair_zero_variance = zero_variance_repair{}});
    check_accuracy<quantized<8, asymmetric>, single_rounding>("per tensor, single rounding, repaired", repaired);
}
