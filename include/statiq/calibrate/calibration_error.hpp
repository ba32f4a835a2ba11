// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/language.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace statiq {

/// Calibration met data it cannot use; the message names the layer and the sample.
class calibration_error : public std::runtime_error {
  public:
    calibration_error(std::string_view layer, std::size_t sample, std::string_view found)
        : std::runtime_error("calibration: layer '" + std::string(layer) + "', sample " + std::to_string(sample) +
                             ": expected finite values, found " + std::string(found)) {}
    explicit calibration_error(const std::string& what) : std::runtime_error("calibration: " + what) {}
};

namespace detail {
/// Refuses an observer that cannot observe.
/// @throws calibration_error "<observer>: expected <expected>, found <found>" unless `holds`
template <class T>
void require_setting(bool holds, const char* observer, const char* expected, T found) {
    if (!holds)
        throw calibration_error(std::string(observer) + ": expected " + expected + ", found " + std::to_string(found));
}
} // namespace detail

} // namespace statiq
