// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "measure.hpp"
#include <string>

namespace evaluate {

/// The results as a table, one line a scheme.
std::string table_of(const evaluation& result);
/// What each layer loses in each scheme, and the verdicts on them.
std::string layer_tables_of(const evaluation& result);
/// Everything, as JSON. Decibels of no error are null.
std::string json_of(const evaluation& result, const options& chosen);

} // namespace evaluate
