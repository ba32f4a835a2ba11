// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/error.hpp>
#include <statiq/io/file.hpp>
#include <statiq/io/file_kind.hpp>
#include <statiq/io/safetensors_contents.hpp>
#include <statiq/io/safetensors_header.hpp>
#include <statiq/io/tensor_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Reading safetensors files: 8 bytes of header length, a JSON header, then the tensors' bytes without gaps.
/// Stricter than the format's description nowhere but in two places that guard the reader: a tensor has the three
/// fields of the format and no others, and no product of a shape's extents leaves std::int64_t.
namespace statiq::io {

/// The longest header read, the bound that the format's own library sets.
inline constexpr std::uint64_t longest_safetensors_header = 100'000'000;

namespace detail {

/// Checks that every entry's bytes are as many as its shape and type say (where the type's size is known) and that
/// together, sorted by place, they fill the data exactly: nothing overlaps, nothing is left over.
inline void check_safetensors_layout(std::string_view file, const std::vector<safetensors_entry>& sorted,
                                     std::size_t data_size) {
    const auto offsets = [](const safetensors_entry& entry) {
        return "data_offsets [" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]";
    };
    std::size_t next = 0;
    for (const safetensors_entry& entry : sorted) {
        if (entry.begin > entry.end || entry.end > data_size)
            throw format_error(file, entry.name, "a place inside the " + std::to_string(data_size) + " bytes of data",
                               offsets(entry));
        const std::optional<std::int64_t> count = element_count(entry.shape);
        const std::size_t size = entry.end - entry.begin;
        const auto fits = [&](std::size_t element) {
            return size % element == 0 && static_cast<std::uint64_t>(*count) == size / element;
        };
        if (!count || (entry.dtype && !fits(size_of(*entry.dtype))))
            throw format_error(file, entry.name,
                               "as many bytes as " + (entry.dtype ? entry.dtype_name : printable(entry.dtype_name)) +
                                   shape_text(entry.shape) + " has",
                               std::to_string(size) + " bytes at " + offsets(entry));
        if (entry.begin != next)
            throw format_error(file, entry.name,
                               "tensors one after the other, this one at byte " + std::to_string(next) + " of the data",
                               (entry.begin < next ? "an overlap: " : "a gap: ") + offsets(entry));
        next = entry.end;
    }
    if (next != data_size)
        throw format_error(file, "", std::to_string(next) + " bytes of data for the header's tensors",
                           std::to_string(data_size));
}

inline void check_safetensors_names(std::string_view file, const std::vector<safetensors_entry>& entries) {
    std::vector<std::string_view> names;
    names.reserve(entries.size());
    for (const safetensors_entry& entry : entries) names.emplace_back(entry.name);
    std::ranges::sort(names);
    const auto repeated = std::ranges::adjacent_find(names);
    if (repeated != names.end()) throw format_error(file, *repeated, "each name once", "two tensors of this name");
}

/// Copies the data into fresh memory with every tensor at a multiple of its element size, and says so in the entries.
[[nodiscard]] inline std::vector<std::byte> align_safetensors(const std::byte* data,
                                                              std::vector<safetensors_entry>& entries) {
    const auto aligned = [](std::size_t place, std::size_t size) { return (place + size - 1) / size * size; };
    std::size_t total = 0;
    for (const safetensors_entry& entry : entries)
        total = aligned(total, entry.alignment()) + (entry.end - entry.begin);
    std::vector<std::byte> bytes(total);
    std::size_t next = 0;
    for (safetensors_entry& entry : entries) {
        const std::size_t size = entry.end - entry.begin;
        next = aligned(next, entry.alignment());
        if (size != 0) std::memcpy(bytes.data() + next, data + entry.begin, size);
        entry.begin = next;
        entry.end = next += size;
    }
    return bytes;
}

} // namespace detail

/// The tensors of a safetensors file whose bytes are in memory. The bytes are kept as they are when every tensor lies
/// at a multiple of its element size, and copied to such places when not (the format does not promise it).
/// @param file_name what messages call the file
/// @throws format_error when the bytes are not exactly a safetensors file
[[nodiscard]] inline safetensors parse_safetensors(std::vector<std::byte> bytes, std::string file_name) {
    constexpr std::size_t prefix = 8;
    if (bytes.size() <= prefix || bytes[prefix] != std::byte{'{'}) // else its first bytes are its header's length
        if (const std::string_view kind = detail::kind_of_file(bytes); !kind.empty())
            throw format_error(file_name, "", "a safetensors file", kind);
    if (bytes.size() < prefix)
        throw format_error(file_name, "", "8 bytes of header length", std::to_string(bytes.size()) + " bytes");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), prefix);
    if (length > longest_safetensors_header)
        throw format_error(file_name, "", "a header of at most 100000000 bytes", std::to_string(length));
    if (length > bytes.size() - prefix)
        throw format_error(file_name, "", "a header of " + std::to_string(length) + " bytes",
                           std::to_string(bytes.size() - prefix) + " bytes after its length");

    std::size_t data = prefix + static_cast<std::size_t>(length);
    auto [entries, metadata] = detail::parse_safetensors_header(
        {reinterpret_cast<const char*>(bytes.data()) + prefix, static_cast<std::size_t>(length)}, file_name);
    std::ranges::stable_sort(entries, {}, [](const safetensors_entry& e) { return std::pair(e.begin, e.end); });
    detail::check_safetensors_names(file_name, entries);
    detail::check_safetensors_layout(file_name, entries, bytes.size() - data);

    const auto misaligned = [&](const safetensors_entry& entry) {
        return reinterpret_cast<std::uintptr_t>(bytes.data() + data + entry.begin) % entry.alignment() != 0;
    };
    if (std::ranges::any_of(entries, misaligned)) {
        bytes = detail::align_safetensors(bytes.data() + data, entries);
        data = 0;
    }
    return {std::move(file_name), std::move(bytes), data, std::move(entries), std::move(metadata)};
}

/// Reads a safetensors file.
/// @throws format_error when it is missing, unreadable or not exactly a safetensors file
[[nodiscard]] inline safetensors read_safetensors(const std::filesystem::path& path) {
    return parse_safetensors(read_file(path), path.string());
}

} // namespace statiq::io
