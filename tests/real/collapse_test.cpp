// SPDX-License-Identifier: Apache-2.0
// MobileNetV1 with trained weights: it collapses with one scale a tensor, and what cures it.
#include <statiq/analyze/quality.hpp>
#include <statiq/analyze/verdict.hpp>
#include <statiq/calibrate/calibrate_data.hpp>
#include <statiq/calibrate/correct_biases.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/passes/deploy.hpp>

#include "predictions.hpp"
#include <algorithm>
#include <array>
#include <cmath>

namespace sq = statiq;

namespace {

constexpr auto per_tensor = sq::quantized<8, sq::asymmetric>::format;
constexpr auto per_channel = sq::quantized<8, sq::asymmetric, sq::per_channel>::format;
constexpr auto byte = sq::quantized<8, sq::asymmetric>::format;

real::classes classify(const sq::network_data& deployed, const std::vector<sq::range>& ranges,
                       const sq::number_format& weight, const real::labelled& test) {
    sq::simulation<> network(sq::quantize_data(deployed, ranges, {weight, byte, weight}));
    return real::predict(test, [&network](std::span<const float> image) { return network.run(image); });
}

/// Depthwise channels by the size of batch norm's variance, and the greatest scale of the first depthwise layer.
template <class Net>
void check_scales(const char* file, std::size_t nearly_constant, std::size_t in_first, double greatest_in_first) {
    const auto trained = sq::load<Net>(test_data::external() / "weights" / file);
    std::size_t count = 0;
    for (std::size_t i = 0; i < sq::node_count<Net>; ++i) {
        const sq::node& n = Net::nodes[i];
        if (!n.is<sq::operations::batch_norm>() || !Net::nodes[static_cast<std::size_t>(n.input())].is_depthwise())
            continue;
        const auto here = static_cast<std::size_t>(
            std::count_if(trained[i].variance.begin(), trained[i].variance.end(), [](float v) { return v < 1e-3F; }));
        count += here;
        if (n.name.view() != "dw1.bn" || in_first == 0) continue;
        CHECK(here == in_first);
        double greatest = 0;
        for (const double alpha : sq::batch_norm_scale(trained[i], n.epsilon))
            greatest = std::max(greatest, std::abs(alpha));
        CHECK(std::abs(greatest - greatest_in_first) < 0.01);
    }
    CHECK(count == nearly_constant);
}

} // namespace

TEST_CASE("real: MobileNetV1 0.25 collapses with one scale a tensor; scales a channel, or repairs, bring it back") {
    using Net = sq::networks::mobilenet_v1<25>;
    const std::string file = "mobilenet_v1_0.25_224_bn.safetensors";
    const auto weights = std::filesystem::path("weights") / file;
    if (!real::has_imagenet(weights)) return;
    const real::labelled test = real::imagenet(sq::io::minus_one_to_one());
    const auto trained = sq::load<Net>(test_data::external() / weights);
    const sq::network_data deployed = sq::as_data(sq::deploy(trained));
    const sq::network_data repaired =
        sq::as_data(sq::deploy(trained, {.repair_zero_variance = sq::zero_variance_repair{}}));
    const sq::sample_reader all{test.images.size(), 224 * 224 * 3,
                                [&test](std::size_t i, std::span<float> to) { test.images.read(i, to); }};
    const auto ranges = sq::calibrate(deployed, all.first(40), sq::min_max{});
    const auto by_tensor = classify(deployed, ranges, per_tensor, test);
    const auto by_channel = classify(deployed, ranges, per_channel, test);
    const auto mended = classify(repaired, ranges, per_tensor, test);

    real::check_expected("mobilenet_v1_0.25, per channel", by_channel, test.labels);

    // Another implementation finds, over 1300 images which contain these, 64.77% in float, 63.15% per channel, 0.23%
    // per tensor and 15.4% per tensor when the constant channels are set to their constant.
    const auto images = static_cast<double>(test.labels.size());
    const auto share = [&](const real::classes& found) {
        return 100 * static_cast<double>(real::right_of(found, test.labels)) / images;
    };
    const auto deviation = [&](double percent) { return real::share_deviation(percent, images, 1300, true); };
    const real::paired channel(real::published_predictions(file), by_channel, test.labels);
    CHECK(std::abs(channel.change() - (63.15 - 64.77)) < 3 * channel.deviation() * std::sqrt(1 - images / 1300));
    CHECK(std::abs(share(by_tensor) - 0.23) < 3 * deviation(0.23));
    CHECK(std::abs(share(mended) - 15.4) < 3 * deviation(15.4));

    // What the repair leaves is mostly a shift of means, which biases take up.
    const auto corrected = sq::correct_biases(repaired, ranges, {per_tensor, byte, per_tensor}, {}, all.first(8));
    const auto cured = classify(corrected, ranges, per_tensor, test);
    MESSAGE("per tensor " << share(by_tensor) << ", per channel " << share(by_channel) << ", per tensor repaired "
                          << share(mended) << ", and biases corrected " << share(cured));
    CHECK(real::right_of(cured, test.labels) > 2 * real::right_of(mended, test.labels));

    // The verdicts name the channels, and in the repaired network those that were dead are harmless.
    const auto before = sq::measure_distributions(sq::as_data(trained), deployed, all.first(2));
    const auto after = sq::measure_distributions(sq::as_data(trained), repaired, all.first(2));
    REQUIRE(before[3].name == "dw2");
    CHECK(sq::judge(before[3]).text.find("hannels 3, 4 and 13 hardly vary") != std::string::npos);
    CHECK(sq::judge(after[3]).text.find("repair") == std::string::npos);
    CHECK(after[3].deployed.spread() < before[3].deployed.spread() / 4);
}

TEST_CASE("real: depthwise channels without variance, and their scales") {
    // Counted by an independent implementation.
    if (test_data::has("weights/mobilenet_v1_0.25_224_bn.safetensors"))
        check_scales<sq::networks::mobilenet_v1<25>>("mobilenet_v1_0.25_224_bn.safetensors", 10, 0, 0);
    if (test_data::has("weights/mobilenet_v1_0.75_224_bn.safetensors"))
        check_scales<sq::networks::mobilenet_v1<75>>("mobilenet_v1_0.75_224_bn.safetensors", 22, 0, 0);
    if (test_data::has("weights/mobilenet_v1_1.0_224_bn_without_pw13.safetensors"))
        check_scales<sq::networks::mobilenet_v1_to_dw13<100>>("mobilenet_v1_1.0_224_bn_without_pw13.safetensors", 23, 8,
                                                              30.65);
}
