// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../support/progress_line.hpp"
#include "options.hpp"
#include "trainee.hpp"
#include <cstdint>

namespace train {

/// Labelled images to measure on.
struct test_set {
    const sq::io::image_set& images;
    std::span<const std::int32_t> labels;
    std::size_t count;
};

/// Deploys a trained network to integers and prints the accuracies of float, simulated and integer execution.
/// @param training images to calibrate on, unless the network has learned its ranges
/// @return whether integers and simulation choose the same class but where the simulation's two best are at most one
///         step of the output apart
bool deploy_and_compare(const trainee& network, integer_run& run_integers, const options& chosen,
                        const sq::io::image_set& training, const test_set& test, const example::progress_line& line);

} // namespace train
