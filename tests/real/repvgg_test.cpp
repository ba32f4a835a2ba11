// SPDX-License-Identifier: Apache-2.0
// A small RepVGG trained on CIFAR-10, as trained: three branches a block, each with its batch norm.
#include <statiq/analyze/branches.hpp>
#include <statiq/networks/repvgg.hpp>
#include <statiq/passes/deploy.hpp>
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
    return real::has(weights) && real::has(std::filesystem::path("images") / (std::string(images) + ".npy")) &&
           real::has(std::filesystem::path("images") / (std::string(calibration_images) + ".npy"));
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
    const auto trained = sq::load<net>(real::data_folder() / weights);
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
    const auto parameters = sq::deploy(sq::load<net>(real::data_folder() / weights));
    const real::labelled test = test_images();
    const sq::io::image_set training(
        sq::io::read_npy(real::data_folder() / "images" / (std::string(calibration_images) + ".npy")), {32, 32, 3},
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
    if (!real::has(weights)) return;
    const auto trained = sq::load<net>(real::data_folder() / weights);
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

TEST_CASE("real: branches quantized apart and added in integers, and merged first") {
    if (!has_data()) return;
    const auto trained = sq::load<net>(real::data_folder() / weights);
    const auto branched = sq::fuse_activations(sq::fold_batch_norm(trained)); // sums left standing
    const auto together = sq::deploy(trained);
    const real::labelled test = test_images();
    const sq::io::image_set training(
        sq::io::read_npy(real::data_folder() / "images" / (std::string(calibration_images) + ".npy")), {32, 32, 3},
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
