// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/io/safetensors_contents.hpp>
#include <statiq/train/fit.hpp>

#include "options.hpp"
#include "trainee.hpp"

namespace train {

/// Every name that --optimizer, --schedule, --augment … --rounding know, with what it means.
const std::vector<std::pair<std::string, std::string>>& optimizer_names();
const std::vector<std::pair<std::string, std::string>>& schedule_names();
const std::vector<std::pair<std::string, std::string>>& augmentation_names();
const std::vector<std::pair<std::string, std::string>>& custom_l2_names();
const std::vector<std::pair<std::string, std::string>>& folding_names();
const std::vector<std::pair<std::string, std::string>>& estimator_names();
const std::vector<std::pair<std::string, std::string>>& rounding_names();

/// What the options say of the optimizer, its rate, the loss and its penalties.
/// @param steps of an epoch
/// @throws std::invalid_argument naming the option and what was expected
sq::fit_rules make_rules(const options& chosen, std::span<const sq::node> nodes, std::uint64_t steps);

/// The numbers that --fake-quantize names; nothing without it.
/// @param steps of an epoch
/// @throws std::invalid_argument saying what was expected
std::optional<fake_quantization> make_fake_quantization(const options& chosen, std::uint64_t steps);

sq::augmentation make_augmentation(const std::string& name);

/// What decides the bits of a training and what a checkpoint of it is compared by. Of threads no bit depends.
sq::io::safetensors_metadata settings_of(const options& chosen);

} // namespace train
