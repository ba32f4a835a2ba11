// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/printable.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace statiq::io {

namespace detail {
using statiq::detail::printable;
}

/// A file that cannot be read, written or understood. The message is always
/// "<file>: tensor '<name>': expected <expected>, found <found>", without the tensor's part when the fault is the
/// file's and not one tensor's.
class format_error : public std::runtime_error {
  public:
    /// @param file the file's path, or what stands for it when the bytes came from memory
    /// @param tensor the tensor's name as stored; empty: the fault is the file's
    format_error(std::string_view file, std::string_view tensor, std::string_view expected, std::string_view found)
        : std::runtime_error(message(file, tensor, expected, found)) {}

  private:
    static std::string message(std::string_view file, std::string_view tensor, std::string_view expected,
                               std::string_view found) {
        std::string text(file);
        if (!tensor.empty()) text += ": tensor " + detail::printable(tensor);
        text += ": expected ";
        text += expected;
        text += ", found ";
        text += found;
        return text;
    }
};

} // namespace statiq::io
