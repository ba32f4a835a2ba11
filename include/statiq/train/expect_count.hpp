// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/language.hpp>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

namespace statiq::detail {

/// Refuses a count that is not the expected one.
/// @throws std::invalid_argument "<what>: expected <expected>, found <found>"
inline void expect_count(const char* what, std::size_t expected, std::size_t found) {
    if (found != expected)
        throw std::invalid_argument(std::string(what)
                                        .append(": expected ")
                                        .append(std::to_string(expected))
                                        .append(", found ")
                                        .append(std::to_string(found)));
}

/// How many samples of `values` floats each these are.
/// @throws std::invalid_argument when they are no whole number of samples, none, or more than a batch
inline std::size_t samples_in(std::span<const float> samples, std::size_t values, std::size_t batch) {
    const std::size_t count = samples.size() / values;
    if (count == 0 || count > batch || samples.size() % values != 0)
        throw std::invalid_argument("a batch: expected 1 to " + std::to_string(batch) + " samples of " +
                                    std::to_string(values) + " values, found " + std::to_string(samples.size()) +
                                    " values");
    return count;
}

} // namespace statiq::detail
