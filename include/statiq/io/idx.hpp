// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/dtype.hpp>
#include <statiq/io/error.hpp>
#include <statiq/io/file.hpp>
#include <statiq/io/file_kind.hpp>
#include <statiq/io/npy.hpp>
#include <statiq/io/stored_array.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace statiq::io {

namespace detail {
/// The type of an idx file's third byte; empty for a byte that is none.
[[nodiscard]] constexpr std::optional<dtype> idx_dtype(std::uint8_t code) {
    constexpr std::array<std::pair<std::uint8_t, dtype>, 6> known{{{0x08, dtype::u8},
                                                                   {0x09, dtype::i8},
                                                                   {0x0B, dtype::i16},
                                                                   {0x0C, dtype::i32},
                                                                   {0x0D, dtype::f32},
                                                                   {0x0E, dtype::f64}}};
    for (const auto& [written, type] : known)
        if (written == code) return type;
    return std::nullopt;
}
} // namespace detail

/// The array of an idx file whose bytes are in memory: the format of MNIST's files (Y. LeCun). Two zero bytes, a type,
/// a number of axes, each axis' extent in four bytes, the elements; numbers big endian.
/// @param file_name what messages call the file
/// @throws format_error when the bytes are not exactly one such array
[[nodiscard]] inline stored_array parse_idx(std::vector<std::byte> bytes, std::string file_name) {
    constexpr std::size_t prefix = 4;
    constexpr std::size_t extent_size = 4;
    const auto byte = [&](std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); };
    const bool begins_with_zeros = bytes.size() > 1 && byte(0) == 0 && byte(1) == 0;
    if (const std::string_view kind = detail::kind_of_file(bytes); !begins_with_zeros && !kind.empty())
        throw format_error(file_name, "", "an idx file", kind);
    if (bytes.size() < prefix)
        throw format_error(file_name, "", "4 bytes of type and number of axes",
                           std::to_string(bytes.size()) + " bytes");
    if (byte(0) != 0 || byte(1) != 0)
        throw format_error(file_name, "", "two zero bytes at the start",
                           std::to_string(byte(0)) + " and " + std::to_string(byte(1)));
    const std::optional<dtype> type = detail::idx_dtype(byte(2));
    if (!type)
        throw format_error(file_name, "", "a type of 8, 9, 11, 12, 13 or 14 as the third byte",
                           std::to_string(byte(2)));
    const std::size_t axes = byte(3);
    const std::size_t data = prefix + extent_size * axes;
    if (bytes.size() < data)
        throw format_error(file_name, "", "the extents of " + std::to_string(axes) + " axes",
                           std::to_string(bytes.size()) + " bytes in all");

    std::vector<std::int64_t> shape;
    for (std::size_t axis = 0; axis < axes; ++axis) {
        std::int64_t extent = 0;
        for (std::size_t i = 0; i < extent_size; ++i) extent = extent << 8 | byte(prefix + extent_size * axis + i);
        shape.push_back(extent);
    }
    const std::size_t element = size_of(*type);
    const std::size_t size = bytes.size() - data;
    const std::optional<std::int64_t> count = detail::element_count(shape);
    if (!count || size % element != 0 || static_cast<std::uint64_t>(*count) != size / element)
        throw format_error(file_name, "", "the data of " + std::string(name(*type)) + detail::shape_text(shape),
                           std::to_string(size) + " bytes");

    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(data)); // a vector begins aligned
    for (std::size_t i = 0; element > 1 && i < bytes.size(); i += element)
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     bytes.begin() + static_cast<std::ptrdiff_t>(i + element));
    return {std::move(file_name), *type, std::move(shape), std::move(bytes), 0};
}

/// Reads an npy or an idx file, whichever it is by its first bytes.
/// @throws format_error when it is missing, unreadable or not exactly one array of a type and order that are read
[[nodiscard]] inline stored_array read_array(const std::filesystem::path& path) {
    std::vector<std::byte> bytes = read_file(path);
    const auto first = bytes.empty() ? 0 : std::to_integer<int>(bytes.front());
    if (first == 0x93) return parse_npy(std::move(bytes), path.string());
    if (!bytes.empty() && first == 0) return parse_idx(std::move(bytes), path.string());
    const std::string_view kind = detail::kind_of_file(bytes);
    throw format_error(path.string(), "", "an npy or idx file", kind.empty() ? "one of another format" : kind);
}

} // namespace statiq::io
