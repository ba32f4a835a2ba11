// SPDX-License-Identifier: Apache-2.0
#include <statiq/train/losses.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

using namespace statiq;

namespace {

/// Central differences of the batch's loss by every output. Their error is step^2 / 6 times the third derivative, which
/// for both losses is at most 1, and the loss's rounding over the step.
template <class Loss>
void check_gradient(const Loss& loss, std::mt19937& random) {
    for (const std::size_t classes : {std::size_t{2}, std::size_t{10}, std::size_t{31}}) {
        const std::size_t samples = 1 + random() % 5;
        std::vector<double> outputs(samples * classes);
        for (double& value : outputs) value = std::normal_distribution<double>(0, 4)(random);
        std::vector<std::int32_t> labels(samples);
        for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random() % classes);
        std::vector<double> gradient(outputs.size());
        std::vector<double> ignored(outputs.size());
        const double value = batch_loss<Loss, double>(loss, outputs, labels, gradient);
        const double step = 0x1p-14;
        const double tolerance = step * step + 64 * (value + 1) * 0x1p-53 / step;
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const double kept = outputs[i];
            outputs[i] = kept + step;
            const double above = batch_loss<Loss, double>(loss, outputs, labels, ignored);
            outputs[i] = kept - step;
            const double below = batch_loss<Loss, double>(loss, outputs, labels, ignored);
            outputs[i] = kept;
            wrong += !(std::abs((above - below) / (2 * step) - gradient[i]) <= tolerance);
        }
        CHECK(wrong == 0);
    }
}

double entropy(const softmax_cross_entropy& loss, const std::vector<double>& outputs, std::int32_t label) {
    std::vector<double> gradient(outputs.size());
    return loss(std::span<const double>(outputs), label, 1, std::span(gradient));
}

} // namespace

TEST_CASE("the losses' gradients are their derivatives") {
    std::mt19937 random(201);
    for (int round = 0; round < 10; ++round) {
        check_gradient(softmax_cross_entropy{}, random);
        check_gradient(softmax_cross_entropy{.smoothing = 0.1}, random);
        check_gradient(softmax_cross_entropy{.smoothing = 0.75}, random);
        check_gradient(mean_squared_error{}, random);
    }
}

TEST_CASE("cross-entropy of outputs that are all the same is the logarithm of the classes") {
    for (const double value : {0.0, -7.0, 1e300})
        for (const double smoothing : {0.0, 0.1})
            CHECK(entropy({smoothing}, std::vector<double>(10, value), 3) == doctest::Approx(std::log(10.0)));
}

TEST_CASE("cross-entropy adds nothing when all outputs grow by as much, and stays finite") {
    CHECK(entropy({}, {1000, 0}, 0) == 0);
    CHECK(entropy({}, {1000, 0}, 1) == 1000);
    CHECK(entropy({0.5}, {1000, 0}, 0) == 250); // targets 0.75 and 0.25
    const double largest = std::numeric_limits<double>::max();
    CHECK(entropy({}, {largest, 0}, 0) == 0);
    CHECK(entropy({}, {-largest / 2, largest / 2}, 1) == 0);
    CHECK(entropy({0.1}, {1, 2, 4}, 1) == doctest::Approx(entropy({0.1}, {1025, 1026, 1028}, 1)));
}

TEST_CASE("smoothing's least loss is the entropy of its targets") {
    const double smoothing = 0.2;
    const std::vector<double> targets{0.05, 0.85, 0.05, 0.05};
    double expected = 0;
    std::vector<double> outputs;
    for (const double p : targets) {
        expected -= p * std::log(p);
        outputs.push_back(std::log(p));
    }
    CHECK(entropy({smoothing}, outputs, 1) == doctest::Approx(expected));
    std::vector<double> gradient(4);
    (void)softmax_cross_entropy{smoothing}(std::span<const double>(outputs), 1, 1, std::span(gradient));
    for (const double g : gradient) CHECK(std::abs(g) <= 8 * 0x1p-53);
}

TEST_CASE("outputs that are not finite, and labels of no class, make a loss that is not finite") {
    const double nan = std::nan("");
    const double infinity = std::numeric_limits<double>::infinity();
    for (const std::vector<double>& outputs :
         {std::vector{nan, 1.0}, {1.0, nan}, {infinity, 1.0}, {1.0, -infinity, infinity}})
        for (const std::int32_t label : {0, 1}) CHECK(!std::isfinite(entropy({}, outputs, label)));
    CHECK(std::isnan(entropy({}, {1, 2}, 2)));
    CHECK(std::isnan(entropy({}, {1, 2}, -1)));
    const std::vector<double> outputs{1, 2};
    std::vector<double> gradient(2);
    CHECK(std::isnan(mean_squared_error{}(std::span<const double>(outputs), 2, 1, std::span(gradient))));
    CHECK(std::isnan(mean_squared_error{}(std::span<const double>(outputs), -1, 1, std::span(gradient))));
}

TEST_CASE("a loss's outputs, targets and gradient fit together") {
    const std::vector<float> outputs{1, 2, 3, 4, 5, 6};
    std::vector<float> gradient(6);
    const std::vector<std::int32_t> labels{0, 1, 2};
    const softmax_cross_entropy loss;
    const std::span<const float> all(outputs);
    CHECK_NOTHROW(batch_loss<softmax_cross_entropy, float>(loss, all.first(6), std::span(labels).first(2), gradient));
    CHECK_THROWS_WITH((batch_loss<softmax_cross_entropy, float>(loss, all.first(5), std::span(labels).first(2),
                                                                std::span(gradient).first(5))),
                      "outputs of a batch: expected 4, found 5");
    CHECK_THROWS_AS((batch_loss<softmax_cross_entropy, float>(loss, all, std::span(labels).first(0), gradient)),
                    std::invalid_argument);
    CHECK_THROWS_WITH(loss(all, 0, 1, std::span(gradient).first(5)),
                      "values of a loss's gradient: expected 6, found 5");
    CHECK_THROWS_WITH(mean_squared_error{}(all, all.first(5), 1, std::span(gradient)),
                      "targets of a loss: expected 6, found 5");
}

TEST_CASE("mean squared error against numbers and against a class") {
    const std::vector<float> outputs{1, 0, 3, 0};
    const std::vector<float> targets{0, 0, 1, 0};
    std::vector<float> gradient(4);
    std::vector<float> of_class(4);
    const mean_squared_error loss;
    CHECK(loss(std::span<const float>(outputs), std::span<const float>(targets), 2, std::span(gradient)) == 1.25);
    CHECK(gradient == std::vector<float>{1, 0, 2, 0});
    CHECK(loss(std::span<const float>(outputs), 2, 2, std::span(of_class)) == 1.25);
    CHECK(of_class == gradient);
}
