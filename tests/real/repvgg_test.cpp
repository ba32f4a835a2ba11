// SPDX-License-Identifier: Apache-2.0
// A small RepVGG trained on CIFAR-10, as trained: three branches a block, each with its batch norm.
#include <statiq/analyze/branches.hpp>
#include <statiq/analyze/verdict.hpp>
#include <statiq/networks/repvgg.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/equalize.hpp>
#include <statiq/passes/require_merged.hpp>

#include "../support/real_oracle.hpp"
#include "data.hpp"
#include <cmath>

namespace sq = statiq;

namespace {

using net = sq::networks::repvgg_small<>;
using merged = sq::branches_merged<net>;
using deployed = sq::deployed<net>;
static_assert(sq::require_merged<net>);
static_assert(sq::node_count<deployed> == 1 + 8 + 2);

const std::filesystem::path weights = "weights/repvgg_small_cifar10_trainform.safetensors";
const char* const images = "cifar10_test2500_jpegsource_u8_nhwc";
const char* const calibration_images = "cifar10_train12500_jpegsource_u8_nhwc";

sq::io::preprocessing pixels() { return real::normalized({.4914F, .4822F, .4465F}, {.2470F, .2435F, .2616F}); }
real::labelled test_images() { return {images, "cifar10_test2500_labels_i32", {32, 32, 3}, pixels()}; }

bool has_data() {
    return test_data::has(weights) &&
           test_data::has(std::filesystem::path("images") / (std::string(images) + ".npy")) &&
           test_data::has(std::filesystem::path("images") / (std::string(calibration_images) + ".npy"));
}

/// Top-1 in percent of the integer network on all images.
template <class Weight>
double integer_accuracy(const sq::parameters<deployed>& from, const sq::node_ranges<deployed>& ranges,
                        const real::labelled& test) {
    auto model = sq::quantize<Weight, sq::quantized<8, sq::asymmetric>>(from, ranges);
    return real::percent(real::right(test, test.images.size(), model), test.images.size());
}

template <int Bits>
using per_tensor = sq::quantized<Bits, sq::asymmetric>;
template <int Bits>
using per_channel = sq::quantized<Bits, sq::asymmetric, sq::per_channel>;

} // namespace

TEST_CASE("real: branches and merged convolutions agree on CIFAR-10 images, layer by layer") {
    if (!has_data()) return;
    const auto trained = sq::load<net>(test_data::external() / weights);
    const auto parameters = sq::merge_branches(trained);
    const real::labelled test = test_images();
    sq::float_network<net> branched_network(trained);
    sq::float_network<merged> merged_network(parameters);

    // Two images with every layer's error bounds; the merged layers are off by one rounding of each parameter.
    for (std::size_t s = 0; s < 2; ++s) {
        const std::vector<float> image(test.images[s].begin(), test.images[s].end());
        const auto branched = support::real_execution(trained, image);
        const auto one = support::real_execution(parameters, image, {.relative = support::unit_roundoff});
        for (std::size_t i = 0; i < sq::node_count<merged>; ++i) {
            const auto& expected = branched[static_cast<std::size_t>(merged::origin[i])];
            std::size_t outside = 0;
            for (std::size_t k = 0; k < expected.value.size(); ++k)
                if (!(std::abs(one[i].value[k] - expected.value[k]) <= one[i].error[k] + expected.error[k])) ++outside;
            CAPTURE(merged::nodes[i].name.view());
            CHECK(outside == 0);
        }
    }
    double farthest = 0;
    double largest = 0;
    std::size_t other_class = 0;
    constexpr std::size_t count = 500;
    for (std::size_t s = 0; s < count; ++s) {
        const std::vector<float> image(test.images[s].begin(), test.images[s].end());
        const auto a = branched_network(image);
        const auto b = merged_network(image);
        for (std::size_t k = 0; k < a.size(); ++k) {
            farthest = std::max(farthest, std::abs(static_cast<double>(a[k]) - static_cast<double>(b[k])));
            largest = std::max(largest, std::abs(static_cast<double>(a[k])));
        }
        other_class += real::best_class(a) != real::best_class(b);
    }
    MESSAGE("logits differ by up to " << farthest << " of " << largest << "; " << other_class << " of " << count
                                      << " classes differ");
    // 9 layers of sums of up to 1152 products, each rounded to 2^-24, in no particular direction.
    CHECK(farthest <= 9 * std::sqrt(1152.0) * 0x1p-24 * largest * 8);
    CHECK(other_class == 0);
}

TEST_CASE("real: RepVGG in integers of 8, 6 and 4 bits") {
    if (!has_data()) return;
    const auto parameters = sq::deploy(sq::load<net>(test_data::external() / weights));
    const real::labelled test = test_images();
    const sq::io::image_set training(
        sq::io::read_npy(test_data::external() / "images" / (std::string(calibration_images) + ".npy")), {32, 32, 3},
        pixels());
    const auto ranges = sq::calibrate(parameters, sq::first_samples(training, 100));
    sq::float_network<deployed> network(parameters);
    const double floating = real::percent(real::right(test, test.images.size(), network), test.images.size());

    // Of an independent implementation, on all 10 000 test images (W8, W6, W4 per tensor; per channel); here are 2500.
    const double reference_float = 82.41;
    const std::array<double, 6> reference{82.35, 79.05, 28.40, 82.44, 82.05, 74.16};
    const std::array<double, 6> found{integer_accuracy<per_tensor<8>>(parameters, ranges, test),
                                      integer_accuracy<per_tensor<6>>(parameters, ranges, test),
                                      integer_accuracy<per_tensor<4>>(parameters, ranges, test),
                                      integer_accuracy<per_channel<8>>(parameters, ranges, test),
                                      integer_accuracy<per_channel<6>>(parameters, ranges, test),
                                      integer_accuracy<per_channel<4>>(parameters, ranges, test)};
    MESSAGE("float " << floating << "; per tensor W8 " << found[0] << ", W6 " << found[1] << ", W4 " << found[2]
                     << "; per channel W8 " << found[3] << ", W6 " << found[4] << ", W4 " << found[5]);
    // A share p of 2500 images has a deviation of sqrt(p (1 - p) / 2500), 0.77 points at 82.4%.
    const auto deviation = [](double p) { return std::sqrt(p * (100 - p) / 2500.0); };
    CHECK(std::abs(floating - reference_float) < 3 * deviation(reference_float));
    for (std::size_t i = 0; i < reference.size(); ++i) {
        CAPTURE(i);
        CHECK(std::abs(found[i] - reference[i]) < 3 * deviation(reference[i]));
    }
}

TEST_CASE("real: the weights' rounding errors, branch by branch and merged") {
    if (!test_data::has(weights)) return;
    const auto trained = sq::load<net>(test_data::external() / weights);
    const auto scales = sq::branch_scales(trained);
    MESSAGE("\n" << sq::report(scales));
    CHECK(scales.size() == 8 * 2 + 4); // four blocks have an identity
    for (const bool by_channel : {false, true}) {
        const auto lines = by_channel ? sq::compare_branch_rounding<per_channel<8>>(trained)
                                      : sq::compare_branch_rounding<per_tensor<8>>(trained);
        MESSAGE((by_channel ? "per channel\n" : "per tensor\n") << sq::report(lines));
        REQUIRE(lines.size() == 8);
        for (const sq::branch_rounding& line : lines) {
            CAPTURE(line.layer);
            CHECK(line.separate.sqnr() > line.merged.sqnr());
        }
    }
}

TEST_CASE("real: branches quantized apart and added in integers, merged first, and equalized") {
    if (!has_data()) return;
    const auto trained = sq::load<net>(test_data::external() / weights);
    const auto branched = sq::fuse_activations(sq::fold_batch_norm(trained)); // sums left standing
    const auto together = sq::deploy(trained);
    const auto equalized = sq::equalize(together);
    const real::labelled test = test_images();
    const sq::io::image_set training(
        sq::io::read_npy(test_data::external() / "images" / (std::string(calibration_images) + ".npy")), {32, 32, 3},
        pixels());
    const sq::first_samples some(training, 100);
    const sq::first_samples few(test.images, 100);
    struct outcome {
        double sqnr;
        double accuracy;
    };
    const auto evaluate = [&]<class Weight, sq::graph_type G>(Weight, const sq::parameters<G>& parameters) {
        sq::float_network<G> reference(parameters);
        auto model =
            sq::quantize<Weight, sq::quantized<8, sq::asymmetric>>(parameters, sq::calibrate(parameters, some));
        sq::observed watched(model);
        return outcome{sq::compare(reference, watched, few).back().error.sqnr(),
                       real::percent(real::right(test, test.images.size(), model), test.images.size())};
    };
    const auto compare = [&](const std::string& name, auto weight) {
        const outcome apart = evaluate(weight, branched);
        const outcome merged = evaluate(weight, together);
        MESSAGE(name << ": apart " << apart.sqnr << " dB, " << apart.accuracy << "%; merged " << merged.sqnr << " dB, "
                     << merged.accuracy << "%");
        const outcome equal = evaluate(weight, equalized);
        MESSAGE(name << ", equalized: " << equal.sqnr << " dB, " << equal.accuracy << "%");
        CHECK(apart.sqnr > merged.sqnr);
        return apart.accuracy - merged.accuracy;
    };
    compare("W8 per tensor", per_tensor<8>{});
    compare("W8 per channel", per_channel<8>{});
    compare("W6 per tensor", per_tensor<6>{});
    // P4: it is merging that costs; far beyond the 1.6 points that 2500 images can err by.
    CHECK(compare("W4 per tensor", per_tensor<4>{}) > 40);
    CHECK(compare("W4 per channel", per_channel<4>{}) > 5);
}

TEST_CASE("real: every layer's distributions, conditions and error") {
    if (!has_data()) return;
    const auto trained = sq::load<net>(test_data::external() / weights);
    const auto parameters = sq::deploy(trained);
    const real::labelled test = test_images();
    const sq::io::image_set training(
        sq::io::read_npy(test_data::external() / "images" / (std::string(calibration_images) + ".npy")), {32, 32, 3},
        pixels());
    const auto read = [&test](std::size_t index, std::span<float> to) {
        const auto image = test.images[index];
        std::copy(image.begin(), image.end(), to.begin());
    };
    const sq::sample_reader samples{50, 32 * 32 * 3, read};
    const auto ranges = sq::calibrate(parameters, sq::first_samples(training, 100));
    const auto model = sq::quantize<per_tensor<8>, sq::quantized<8, sq::asymmetric>>(parameters, ranges);
    sq::float_network<deployed> reference(parameters);
    sq::observed watched(model);
    const auto errors = sq::compare(reference, watched, sq::first_samples(test.images, 50));
    sq::table rows({"layer", "weights' deviation", "greatest", "dB", "activations' deviation", "greatest", "C1", "C2",
                    "MSE", "SQNR dB"});
    const auto layers = sq::measure_distributions(sq::as_data(trained), sq::as_data(parameters), samples);
    REQUIRE(layers.size() == 9);
    for (const sq::layer_distribution& layer : layers) {
        const sq::layer_verdict verdict = sq::judge(layer);
        const auto line = std::find_if(errors.begin(), errors.end(),
                                       [&](const sq::layer_comparison& e) { return e.name == layer.name; });
        REQUIRE(line != errors.end());
        const auto& weight = layer.deployed.values;
        const auto yes = [](bool friendly) { return std::string(friendly ? "yes" : "no"); };
        char mse[32];
        std::snprintf(mse, sizeof mse, "%.2g", line->error.mean_squared_error());
        rows.add({layer.name, sq::fixed(weight.deviation(), 4), sq::fixed(std::max(weight.max, -weight.min), 3),
                  sq::fixed(layer.deployed.sqnr_per_tensor, 1), sq::fixed(layer.activations.deviation(), 3),
                  sq::fixed(layer.activations.max, 2), yes(verdict.weights_friendly), yes(verdict.activations_friendly),
                  mse, sq::decibels(line->error.sqnr())});
    }
    MESSAGE("\n" << rows.text());
}

TEST_CASE(
    "real: behind a dead channel, an identity's batch norm is all that the merged kernel holds (P4 (7), figure 4)") {
    if (!has_data()) return;
    auto trained = sq::load<net>(test_data::external() / weights);
    // Channel 0 of block 1 dies, as channels do in longer training, and block 2's identity learns that it never varies.
    const auto at = [&trained](const char* name) -> sq::layer_parameters& {
        return trained[static_cast<std::size_t>(sq::find_node<net>(name))];
    };
    at("block1.dense3x3.bn").beta[0] = -1000;
    at("block2.identity.bn").mean[0] = 0;
    at("block2.identity.bn").variance[0] = 0;
    const auto parameters = sq::deploy(trained);
    const auto repaired = sq::deploy(trained, {.repair_zero_variance = sq::zero_variance_repair{}});
    const auto scales = sq::branch_scales(trained);
    const auto identity = std::find_if(scales.begin(), scales.end(),
                                       [](const sq::branch_scale& s) { return s.norm == "block2.identity.bn"; });
    REQUIRE(identity != scales.end());
    CHECK(identity->largest() > 100);

    const real::labelled test = test_images();
    const sq::io::image_set training(
        sq::io::read_npy(test_data::external() / "images" / (std::string(calibration_images) + ".npy")), {32, 32, 3},
        pixels());
    const auto ranges = sq::calibrate(parameters, sq::first_samples(training, 100));
    sq::float_network<deployed> network(parameters);
    sq::float_network<deployed> repaired_network(repaired);
    const double floating = real::percent(real::right(test, test.images.size(), network), test.images.size());
    const double repaired_floating =
        real::percent(real::right(test, test.images.size(), repaired_network), test.images.size());
    const double by_tensor = integer_accuracy<per_tensor<8>>(parameters, ranges, test);
    const double by_channel = integer_accuracy<per_channel<8>>(parameters, ranges, test);
    const double mended = integer_accuracy<per_tensor<8>>(repaired, ranges, test);
    MESSAGE("factor " << identity->largest() << ": float " << floating << " (repaired " << repaired_floating
                      << "), 8 bits per tensor " << by_tensor << ", per channel " << by_channel
                      << ", repaired per tensor " << mended);
    CHECK(repaired_floating == floating); // the channel is always zero
    CHECK(by_tensor < floating - 20);
    CHECK(by_channel > floating - 3);
    CHECK(mended > floating - 3);
}
