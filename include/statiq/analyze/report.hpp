// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/compare.hpp>
#include <statiq/analyze/summary.hpp>
#include <statiq/analyze/table.hpp>

#include <cstdio>
#include <limits>
#include <string>
#include <vector>

namespace statiq {

/// Decibels as text; a tensor without any error has an infinite ratio.
inline std::string decibels(double value) {
    return value == std::numeric_limits<double>::infinity() ? "exact" : fixed(value, 1);
}

/// A comparison as a table: layer, operation, output, SQNR in dB, mean squared error.
inline std::string report(const std::vector<layer_comparison>& lines) {
    table rows({"layer", "operation", "output", "SQNR dB", "MSE"});
    for (const layer_comparison& line : lines) {
        char error[32];
        std::snprintf(error, sizeof error, "%.3g", line.error.mean_squared_error());
        rows.add(
            {line.name, std::string(line.word), detail::extents_text(line.out), decibels(line.error.sqnr()), error});
    }
    return rows.text();
}

inline void print(const std::vector<layer_comparison>& lines) { std::fputs(report(lines).c_str(), stdout); }

} // namespace statiq
