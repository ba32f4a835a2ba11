// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace train {

/// The command line.
struct options {
    std::string network = "digits";
    std::filesystem::path data{};
    std::filesystem::path labels{};
    std::filesystem::path test_data{};
    std::filesystem::path test_labels{};
    std::size_t test_count = 0; ///< 0: all

    std::size_t epochs = 20;
    std::size_t batch = 64;
    std::uint64_t seed = 1;
    std::size_t threads = 1;
    std::string augment = "none";

    std::string optimizer = "sgd";
    double rate = 0;
    double momentum = 0.9;
    std::string schedule = "cosine";
    std::size_t step_epochs = 30; ///< of the schedule "step"
    double step_factor = 0.1;
    double warm_up = 0; ///< epochs
    double smoothing = 0;
    double decay = 0; ///< of all weights
    double l2_depthwise = 0;
    std::string custom_l2{};
    std::string no_decay{}; ///< layers, separated by commas
    double average = 0;

    std::filesystem::path from{};
    std::filesystem::path resume{};
    std::filesystem::path checkpoint{};
    std::filesystem::path weights{};

    std::string fake_quantize{}; ///< "W,A"
    std::string folding = "frozen";
    std::string estimator = "masked";
    std::string rounding = "deployed";
    double freeze = 0;      ///< epochs; 0: never
    double range_delay = 0; ///< epochs
    double range_momentum = 0.99;
    std::string scheme = "symmetric_channel";
    std::vector<std::string> deploy{}; ///< "scheme:W,A" each; empty: what it was trained for
    std::size_t calibration_count = 500;
    std::filesystem::path report{};
    bool quiet = false;
};

} // namespace train
