// SPDX-License-Identifier: Apache-2.0
// MobileNetV1 with trained weights, image by image: in floats, and in integers.
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/passes/deploy.hpp>

#include "predictions.hpp"

namespace sq = statiq;

namespace {

using byte = sq::quantized<8, sq::asymmetric>;

template <class Net>
void check_floats(const std::string& file, std::size_t expected_right) {
    const auto weights = std::filesystem::path("weights") / file;
    if (!real::has_imagenet(weights)) return;
    const real::labelled test = real::imagenet(sq::io::minus_one_to_one());
    sq::float_network<Net> network(sq::load<Net>(test_data::external() / weights));
    const auto found = real::predict(test, network);
    CHECK(found == real::published_predictions(file));
    CHECK(real::right_of(found, test.labels) == expected_right);
}

} // namespace

TEST_CASE("real: MobileNetV1 predicts in floats what another implementation does, image by image") {
    check_floats<sq::networks::mobilenet_v1<25>>("mobilenet_v1_0.25_224_bn.safetensors", 106);
    check_floats<sq::networks::mobilenet_v1<75>>("mobilenet_v1_0.75_224_bn.safetensors", 125);
}

TEST_CASE("real: MobileNetV1 0.75 in integers") {
    using Net = sq::networks::mobilenet_v1<75>;
    const std::string file = "mobilenet_v1_0.75_224_bn.safetensors";
    const auto weights = std::filesystem::path("weights") / file;
    if (!real::has_imagenet(weights)) return;
    const real::labelled test = real::imagenet(sq::io::minus_one_to_one());
    const auto parameters = sq::deploy(sq::load<Net>(test_data::external() / weights));
    const auto ranges = sq::calibrate(parameters, sq::first_samples(test.images, 40));
    auto by_channel = sq::quantize<sq::quantized<8, sq::asymmetric, sq::per_channel>, byte>(parameters, ranges);
    auto by_tensor = sq::quantize<sq::quantized<8, sq::asymmetric>, byte>(parameters, ranges);
    const auto channel_classes = real::predict(test, by_channel);
    const auto tensor_classes = real::predict(test, by_tensor);

    real::check_expected("mobilenet_v1_0.75, per channel", channel_classes, test.labels);

    // Over 650 images another implementation finds 78.00 in floats, 77.85 with a scale a channel, 9.23 with one a
    // tensor.
    const real::paired channel(real::published_predictions(file), channel_classes, test.labels);
    CHECK(std::abs(channel.change() - (77.85 - 78.00)) < 3 * channel.deviation() * std::sqrt(1 + channel.images / 650));
    const double share = real::percent(real::right_of(tensor_classes, test.labels), test.labels.size());
    CHECK(std::abs(share - 9.23) < 3 * real::share_deviation(9.23, channel.images, 650, false));
    MESSAGE("from float to a scale a channel " << channel.change() << " +- " << channel.deviation()
                                               << " points; a scale a tensor " << share << "%");
}
