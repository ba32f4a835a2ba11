// SPDX-License-Identifier: Apache-2.0
// MobileOne-S0 with its published weights, which are those of the deployed form.
#include <statiq/networks/mobileone.hpp>
#include <statiq/passes/deploy.hpp>

#include "predictions.hpp"
#include <cmath>
#include <filesystem>
#include <string>

namespace sq = statiq;

namespace {

using deployed = sq::deployed<sq::networks::mobileone_s0<>>;
using byte = sq::quantized<8, sq::asymmetric>;

const std::string file = "mobileone_s0_deploy.safetensors";

} // namespace

TEST_CASE("real: MobileOne-S0, float and 8 bits per tensor and per channel") {
    const auto weights = std::filesystem::path("weights") / file;
    if (!real::has_imagenet(weights)) return;
    // The file's layers are those that the training form deploys to: every name and shape is asked for.
    const auto parameters = sq::load<deployed>(test_data::external() / weights);
    const real::labelled test = real::imagenet(real::normalized({.485F, .456F, .406F}, {.229F, .224F, .225F}));
    sq::float_network<deployed> network(parameters);
    const auto in_floats = real::predict(test, network);
    CHECK(in_floats == real::published_predictions(file));
    CHECK(real::right_of(in_floats, test.labels) == 128);

    const auto check = [&](const std::string& numbers, const real::classes& found) {
        real::check_expected("mobileone_s0, " + numbers, found, test.labels);
        return real::paired(in_floats, found, test.labels);
    };
    const auto rounded = [&](const sq::number_format& format) {
        sq::float_network<deployed> simulated(real::with_rounded_weights(parameters, format));
        return real::predict(test, simulated);
    };
    // Weights alone. Another implementation finds 76.92, 55.00 and 77.69 on 260 images.
    const auto weights_by_tensor = check("weights per tensor", rounded(byte::format));
    const auto weights_by_channel =
        check("weights per channel", rounded(sq::quantized<8, sq::asymmetric, sq::per_channel>::format));
    const double others = std::sqrt(1 + weights_by_tensor.images / 260);
    CHECK(std::abs(weights_by_tensor.change() - (55.00 - 76.92)) < 3 * weights_by_tensor.deviation() * others);
    CHECK(std::abs(weights_by_channel.change() - (77.69 - 76.92)) < 3 * weights_by_channel.deviation() * others);

    // Integers. One scale for all channels' weights costs dozens of points; the activations, a scale a tensor, cost a
    // few.
    const auto ranges = sq::calibrate(parameters, sq::first_samples(test.images, 100));
    auto by_tensor = sq::quantize<byte, byte>(parameters, ranges);
    auto by_channel = sq::quantize<sq::quantized<8, sq::symmetric, sq::per_channel>, byte>(parameters, ranges);
    const auto tensor_classes = real::predict(test, by_tensor);
    const auto channel_classes = real::predict(test, by_channel);
    const auto tensor_change = check("per tensor", tensor_classes);
    const auto channel_change = check("symmetric per channel", channel_classes);
    const real::paired cure(tensor_classes, channel_classes, test.labels);
    CHECK(tensor_change.change() < -3 * tensor_change.deviation());
    CHECK(cure.change() > 3 * cure.deviation());
    CHECK(channel_change.change() > tensor_change.change());
}
