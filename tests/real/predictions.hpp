// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "data.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

/// What networks predict of the same images, compared image by image.
namespace real {

using classes = std::vector<int>;

/// The 163 labelled images of ImageNet's validation set that the data have.
inline const std::string imagenet_images = "imagenet_val163_224_u8_nhwc";

/// Whether images and weights are there; if not, the test case is skipped.
inline bool has_imagenet(const std::filesystem::path& weights) {
    return test_data::has(weights) && test_data::has("images/" + imagenet_images + ".npy") &&
           test_data::has("images/expected_predictions_163.json");
}
inline labelled imagenet(const statiq::io::preprocessing& how) {
    return {imagenet_images, "imagenet_val163_labels_i32", {224, 224, 3}, how};
}

/// Of the networks with real numbers, another's predictions. @param weights the file's name
inline classes published_predictions(const std::string& weights) {
    std::ifstream file(test_data::external() / "images/expected_predictions_163.json");
    return nlohmann::json::parse(file).at("pred").at(weights).get<classes>();
}

/// Of quantized networks, those of write_predictions.py: -1 - class where roundings may decide.
inline classes expected_predictions(const std::string& network) {
    std::ifstream file(std::string(STATIQ_SOURCE_DIR) + "/tests/real/predictions.json");
    return nlohmann::json::parse(file).at(network).get<classes>();
}

template <class Run>
classes predict(const labelled& of, Run&& run) {
    classes found;
    for (std::size_t i = 0; i < of.images.size(); ++i) found.push_back(best_class(run(of.images[i])));
    return found;
}

inline std::size_t right_of(const classes& found, const std::vector<std::int32_t>& labels) {
    std::size_t right = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) right += found[i] == labels[i] ? 1U : 0U;
    return right;
}

/// Images that one network classifies rightly and another does not.
struct paired {
    double images = 0;
    double gained = 0;
    double lost = 0;

    paired(const classes& before, const classes& after, const std::vector<std::int32_t>& labels)
        : images(static_cast<double>(labels.size())) {
        for (std::size_t i = 0; i < labels.size(); ++i) {
            gained += before[i] != labels[i] && after[i] == labels[i] ? 1 : 0;
            lost += before[i] == labels[i] && after[i] != labels[i] ? 1 : 0;
        }
    }
    /// In points of accuracy.
    [[nodiscard]] double change() const { return 100 * (gained - lost) / images; }
    /// The standard deviation of `change` over samples of so many images: each adds 1, -1 or 0, whose variance is
    /// (gained + lost) / n - ((gained - lost) / n)^2. One discordant image more than were seen stands for the rare
    /// ones.
    [[nodiscard]] double deviation() const {
        const double discordant = (gained + lost + 1) / images;
        const double mean = (gained - lost) / images;
        return 100 * std::sqrt((discordant - mean * mean) / images);
    }
};

/// Image by image what write_predictions.py finds, apart from images that roundings decide: of these, as many are right
/// to three deviations.
inline void check_expected(const std::string& network, const classes& ours, const std::vector<std::int32_t>& labels) {
    classes expected = expected_predictions(network);
    REQUIRE(ours.size() == expected.size());
    std::size_t decided = 0;
    std::size_t same = 0;
    std::size_t same_of_all = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        decided += expected[i] >= 0 ? 1U : 0U;
        same += expected[i] == ours[i] ? 1U : 0U;
        if (expected[i] < 0) expected[i] = -1 - expected[i];
        same_of_all += expected[i] == ours[i] ? 1U : 0U;
    }
    const paired difference(expected, ours, labels);
    MESSAGE(network << ": alike " << same << " of " << decided << " images that roundings cannot decide, "
                    << same_of_all << " of all; " << right_of(ours, labels) << " right, expected "
                    << right_of(expected, labels));
    CHECK(same == decided);
    CHECK(std::abs(difference.change()) < 3 * difference.deviation());
}

/// The standard deviation, in points, of the difference between a share of `ours` images and of `theirs`, where the
/// share of all is `percent`: that of both, or, where theirs contain ours, that of sampling without replacement.
inline double share_deviation(double percent, double ours, double theirs, bool contained) {
    return std::sqrt(percent * (100 - percent) * (1 / ours + (contained ? -1 : 1) / theirs));
}

} // namespace real
