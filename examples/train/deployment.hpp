// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../support/progress_line.hpp"
#include "options.hpp"
#include "report.hpp"
#include "trainee.hpp"
#include <cstdint>
#include <vector>

namespace train {

/// Labelled images to measure on.
struct test_set {
    const sq::io::image_set& images;
    std::span<const std::int32_t> labels;
    std::size_t count;
};

/// Deploys a trained network in every numbers of --deploy and prints the accuracies of float, simulated and integer
/// execution.
/// @param training images to calibrate on, unless the network has learned its ranges
std::vector<deployment_line> deploy_and_compare(const trainee& network, integer_run& run_integers,
                                                const options& chosen, const sq::io::image_set& training,
                                                const test_set& test, const example::progress_line& line);

} // namespace train
