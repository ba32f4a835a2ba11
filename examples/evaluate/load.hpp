// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/io/parameters.hpp>
#include <statiq/passes/deploy.hpp>

#include "subject.hpp"
#include <utility>

namespace evaluate {

/// Reads a network's weights and leaves its type behind.
template <class Net>
subject load(const std::filesystem::path& weights, sq::io::preprocessing pixels) {
    auto trained = sq::load<Net>(weights);
    return {.trained = sq::as_data(trained),
            .deploy =
                [trained](bool repair) {
                    sq::deployment how;
                    if (repair) how.repair_zero_variance = sq::zero_variance_repair{};
                    return sq::as_data(sq::deploy(trained, how));
                },
            .input = sq::input_extents<Net>,
            .pixels = std::move(pixels)};
}

} // namespace evaluate
