// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/passes/choose_numbers.hpp>

#include <string>
#include <vector>

namespace example {

namespace sq = statiq;

/// Numbers to run a network in.
struct scheme {
    std::string name{};
    sq::number_choice numbers{};
    bool float_weights = false; ///< activations alone are quantized
    std::vector<sq::layer_override> layers{};
};

/// The names of --scheme and --observer, with what they mean.
const std::vector<std::pair<std::string, std::string>>& scheme_names();
const std::vector<std::pair<std::string, std::string>>& observer_names();
const std::vector<std::pair<std::string, std::string>>& repair_names();

/// "8,8": weight and activation bits, 2 to 16, or 32 for float.
/// @throws std::invalid_argument saying what was expected
scheme make_scheme(const std::string& name, const std::string& bits);

/// A weight format of the scheme's kind with so many bits.
sq::number_format weight_format(const std::string& scheme_name, int bits);

sq::any_observer make_observer(const std::string& name, const sq::number_format& activation);

/// "dw1=8" or "dw1=8,16": a layer's own bits, in the scheme's kind of numbers.
sq::layer_override make_override(const std::string& text, const std::string& scheme_name);

} // namespace example
