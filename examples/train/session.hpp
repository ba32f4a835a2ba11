// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"

namespace train {

/// Trains as the options say, deploys, and prints what came of it. Progress goes to stderr.
/// @return the process' exit code: 1 when the deployed integers do not compute what the simulation does
/// @throws std::exception of several kinds, with messages for the user
int run(const options& chosen);

} // namespace train
