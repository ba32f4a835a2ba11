// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/error.hpp>
#include <statiq/io/file.hpp>
#include <statiq/io/file_kind.hpp>
#include <statiq/io/npy_header.hpp>
#include <statiq/io/stored_array.hpp>
#include <statiq/io/tensor_view.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statiq::io {

/// The array of an npy file (NumPy's format, versions 1.0, 2.0 and 3.0) whose bytes are in memory.
/// @param file_name what messages call the file
/// @throws format_error when the bytes are not exactly one such array
[[nodiscard]] inline stored_array parse_npy(std::vector<std::byte> bytes, std::string file_name) {
    constexpr std::string_view magic("\x93NUMPY", 6);
    constexpr std::size_t version_end = 8;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!text.starts_with(magic)) {
        if (const std::string_view kind = detail::kind_of_file(bytes); !kind.empty())
            throw format_error(file_name, "", "an npy file", kind);
        throw format_error(file_name, "", "\"\\x93NUMPY\" and a version at the start",
                           detail::printable(text.substr(0, magic.size())));
    }
    if (text.size() < version_end)
        throw format_error(file_name, "", "a version", std::to_string(text.size()) + " bytes in all");
    const auto major = std::to_integer<int>(bytes[6]);
    const auto minor = std::to_integer<int>(bytes[7]);
    if (major < 1 || major > 3 || minor != 0)
        throw format_error(file_name, "", "version 1.0, 2.0 or 3.0",
                           std::to_string(major) + "." + std::to_string(minor));

    const std::size_t length_size = major == 1 ? 2 : 4;
    std::uint32_t length = 0;
    if (text.size() - version_end < length_size)
        throw format_error(file_name, "", "a header's length", std::to_string(text.size()) + " bytes in all");
    std::memcpy(&length, bytes.data() + version_end, length_size);
    const std::size_t header_begin = version_end + length_size;
    if (length > bytes.size() - header_begin)
        throw format_error(file_name, "", "a header of " + std::to_string(length) + " bytes",
                           std::to_string(bytes.size() - header_begin) + " bytes after its length");

    detail::npy_header header = detail::npy_header_parser(text.substr(header_begin, length), file_name).parse();
    std::size_t data = header_begin + length;
    const std::size_t element = size_of(header.dtype);
    const std::size_t size = bytes.size() - data;
    const std::optional<std::int64_t> count = detail::element_count(header.shape);
    if (!count || size % element != 0 || static_cast<std::uint64_t>(*count) != size / element)
        throw format_error(file_name, "",
                           "the data of " + std::string(name(header.dtype)) + detail::shape_text(header.shape),
                           std::to_string(size) + " bytes");

    if (reinterpret_cast<std::uintptr_t>(bytes.data() + data) % element != 0) {
        bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(data)); // a vector begins aligned
        data = 0;
    }
    return {std::move(file_name), header.dtype, std::move(header.shape), std::move(bytes), data};
}

/// Reads an npy file.
/// @throws format_error when it is missing, unreadable or not exactly one array of a type and order that are read
[[nodiscard]] inline stored_array read_npy(const std::filesystem::path& path) {
    return parse_npy(read_file(path), path.string());
}

} // namespace statiq::io
