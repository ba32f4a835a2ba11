// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/io/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace io_test {

/// A new folder among the temporary files, removed with all it holds.
class temporary_folder {
  public:
    temporary_folder() {
        std::random_device random;
        do path_ = std::filesystem::temp_directory_path() / ("statiq-io-" + std::to_string(random()));
        while (!std::filesystem::create_directory(path_));
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++count;
        return count;
    }

  private:
    std::filesystem::path path_;
};

inline std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

/// A number's bytes, little endian.
template <class T>
std::string little_endian(T value) {
    std::string text;
    for (std::size_t i = 0; i < sizeof value; ++i) text += static_cast<char>((value >> (8 * i)) & 0xFF);
    return text;
}

/// `count` bytes 0, 1, 2, ...
inline std::string counting(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(i & 0xFF);
    return text;
}

/// The message of the format_error that `action` throws; empty when it throws none.
template <class Action>
std::string failure(const Action& action) {
    try {
        action();
    } catch (const statiq::io::format_error& error) {
        return error.what();
    }
    return {};
}

/// "<file>: [tensor '<name>': ]expected <...expected...>, found <...found...>"
inline bool reports(std::string_view message, std::string_view file, std::string_view tensor, std::string_view expected,
                    std::string_view found) {
    const std::string place =
        std::string(file) + ": " + (tensor.empty() ? "" : "tensor '" + std::string(tensor) + "': ") + "expected ";
    const std::size_t middle = message.rfind(", found ");
    return message.starts_with(place) && middle != std::string_view::npos &&
           message.substr(place.size(), middle - place.size()).find(expected) != std::string_view::npos &&
           message.substr(middle + 8).find(found) != std::string_view::npos;
}

} // namespace io_test
