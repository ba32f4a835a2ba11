// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/quality.hpp>
#include <statiq/analyze/sensitivity.hpp>
#include <statiq/analyze/verdict.hpp>

#include "../support/settings.hpp"
#include "options.hpp"
#include "subject.hpp"
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace evaluate {

using namespace example;

/// How well a network does on the images.
struct accuracy {
    double top1 = 0; ///< percent; negative without labels
    double top5 = 0;
    double agreement = 0; ///< percent of images whose best class is the float network's
    sq::signal_to_noise output{};
};

struct scheme_result {
    scheme how{};
    accuracy reached{};
    double mean_sqnr = 0;         ///< dB, over linear layers
    std::int64_t weight_bits = 0; ///< of all weights
    std::vector<sq::layer_quality> layers{};
    std::vector<sq::source_quality> sources{}; ///< at the output, each alone in all layers
};

struct evaluation {
    bool classifies = true;
    bool has_labels = true;
    std::size_t images = 0;
    accuracy floating{};
    std::optional<accuracy> repaired{}; ///< of the float network after its repairs, if any
    std::vector<scheme_result> schemes{};
    std::vector<sq::layer_distribution> distributions{};
    std::vector<sq::layer_verdict> verdicts{};
};

/// Everything the options ask for. Progress goes to stderr unless they ask for quiet.
/// @throws std::exception of several kinds, with messages for the user
evaluation run(const options& chosen);

} // namespace evaluate
