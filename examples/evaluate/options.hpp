// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace evaluate {

/// The command line.
struct options {
    std::string network = "digits";
    std::filesystem::path weights{};
    std::filesystem::path images{};
    std::filesystem::path labels{};
    std::filesystem::path calibration{};
    std::size_t images_count = 0; ///< 0: all
    std::size_t calibration_count = 100;
    std::size_t layer_images = 32;
    std::vector<std::string> schemes{};
    std::vector<std::string> bits{};
    std::string observer = "min_max";
    std::vector<std::string> layer_observers{}; ///< "layer=observer"
    std::vector<std::string> repairs{};
    std::vector<std::string> overrides{}; ///< "layer=W" or "layer=W,A"
    std::vector<double> budget_bits{};    ///< mean bits a weight
    std::vector<double> budget_bytes{};   ///< of all weights
    std::size_t batch = 1;
    std::size_t threads = 1;
    std::filesystem::path report{};
    bool print_layers = false;
    bool quiet = false;
};

} // namespace evaluate
