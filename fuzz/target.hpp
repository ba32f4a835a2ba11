// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

/// What each target defines; driver.cpp makes a libFuzzer program of it.
namespace fuzz {

using bytes = std::vector<std::byte>;

/// Reads an input as a program would, and uses what was read.
/// @throws statiq::io::format_error or statiq::calibration_error where it is refused; anything else is a find
void read(const bytes& input);

/// Valid inputs to begin with, whatever the library writes.
std::vector<bytes> seeds();

} // namespace fuzz
