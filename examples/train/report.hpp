// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/branches.hpp>

#include "options.hpp"
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace train {

/// One epoch.
struct epoch_line {
    double loss = 0;
    double penalty = 0;
    double train_percent = 0;
    double test_percent = 0;
    double seconds = 0;
};

/// Accuracies in percent of a network deployed in some numbers.
struct deployment_line {
    std::string scheme{};
    std::string bits{}; ///< "W,A"
    double float_percent = 0;
    double simulated_percent = 0;
    std::optional<double> integer_percent{};
    std::size_t others = 0; ///< images for which simulated and integer choose another class
    std::size_t far = 0;    ///< of these, where the simulation's two best classes are more than a step apart
};

/// What a training was like.
struct training_report {
    std::vector<epoch_line> epochs{};
    std::vector<deployment_line> deployments{};
    std::vector<statiq::branch_scale> branches{};
};

/// Writes it as JSON, with the settings, whole or not at all.
void write_report(const training_report& report, const options& chosen);

} // namespace train
