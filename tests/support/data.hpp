// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

/// Files that tests read.
namespace test_data {

/// Operator cases of TensorFlow Lite Micro's reference kernels. They are part of the repository.
inline std::filesystem::path golden() { return std::filesystem::path(STATIQ_SOURCE_DIR) / "tests/data/golden"; }

/// Whole networks, trained weights and images, which are not part of the repository: the folder that the environment
/// variable STATIQ_DATA names, or else the one that the build was told.
inline std::filesystem::path external() {
    if (const char* named = std::getenv("STATIQ_DATA")) return named;
    return STATIQ_DEFAULT_DATA_DIR;
}

/// Whether a test case was skipped. main() then returns 77 unless a test failed, and ctest reports the test as skipped.
inline bool skipped = false;

/// Says what is missing, and marks the program as skipped. The test case then returns.
inline void skip(const std::string& missing) {
    skipped = true;
    MESSAGE("skipped: no " << missing);
}

/// Whether `external()` has a file or folder. If not, the test case is skipped.
inline bool has(const std::filesystem::path& file) {
    std::error_code absent;
    if (std::filesystem::exists(external() / file, absent)) return true;
    skip(file.string());
    return false;
}

} // namespace test_data
