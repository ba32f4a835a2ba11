// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>

namespace demo {

/// What to evaluate, and on what.
struct options {
    std::filesystem::path weights;
    std::filesystem::path images;
    std::filesystem::path labels;
    std::filesystem::path calibration;
    std::size_t calibration_count = 100;
    bool print_predictions = false;
    bool train = false; ///< weights from scratch; digits alone
};

/// The digits network and its data, which come with the examples.
options embedded_default();

// One function a network, each in a file of its own so that they compile side by side. They print, and return 0.
int digits(const options& chosen);
int mobilenet_v1_025(const options& chosen);
int mobilenet_v1_075(const options& chosen);
int mobileone_s0(const options& chosen);
int repvgg_small(const options& chosen);

} // namespace demo
