// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#if __has_include(<unistd.h>)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace statiq::io {

namespace detail {
struct close_file {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using open_file = std::unique_ptr<std::FILE, close_file>;

[[nodiscard]] inline std::string last_error(std::string_view otherwise) {
    return errno != 0 ? std::generic_category().message(errno) : std::string(otherwise);
}

/// Waits until the system has written what it keeps of a file in memory, so that a loss of power after the file has
/// taken its place cannot leave an empty one there. Nothing where the system offers no such call.
[[nodiscard]] inline bool reach_disk(std::FILE* file) noexcept {
#if __has_include(<unistd.h>)
    return std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0;
#else
    return std::fflush(file) == 0;
#endif
}
/// The same for a folder's names. Some file systems refuse; then the name is as safe as they make it.
inline void names_reach_disk([[maybe_unused]] const std::filesystem::path& folder) noexcept {
#if __has_include(<unistd.h>)
    const int handle = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY);
    if (handle < 0) return;
    (void)::fsync(handle);
    (void)::close(handle);
#endif
}
} // namespace detail

/// A regular file's bytes.
/// @throws format_error when it is missing, not a regular file, longer than memory, or cannot be read whole
[[nodiscard]] inline std::vector<std::byte> read_file(const std::filesystem::path& path) {
    const std::string file = path.string();
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
        throw format_error(file, "", "a readable file", "no such file");
    if (error) throw format_error(file, "", "a readable file", error.message());
    if (!std::filesystem::is_regular_file(status))
        throw format_error(file, "", "a regular file",
                           std::filesystem::is_directory(status) ? "a directory" : "a file of another kind");
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error) throw format_error(file, "", "a readable file", error.message());

    errno = 0;
    const detail::open_file handle(std::fopen(file.c_str(), "rb"));
    if (!handle) throw format_error(file, "", "a readable file", detail::last_error("one that does not open"));
    std::vector<std::byte> bytes;
    try {
        bytes.resize(static_cast<std::size_t>(size));
    } catch (const std::exception&) { // bad_alloc, or length_error beyond what a vector counts
        throw format_error(file, "", "memory for its " + std::to_string(size) + " bytes", "less");
    }
    const std::size_t count = bytes.empty() ? 0 : std::fread(bytes.data(), 1, bytes.size(), handle.get());
    if (count != bytes.size())
        throw format_error(file, "", std::to_string(size) + " bytes", std::to_string(count) + " readable bytes");
    return bytes;
}

/// Writes the parts, one after the other, as the whole content of the file: into a temporary file in the same folder,
/// which takes the file's place once it is on disk. Readers see the old content or the new one, and a failure leaves
/// the old one, be it of power.
/// @throws format_error when any step fails; the temporary file is gone then
inline void write_file(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts) {
    const std::string file = path.string();
    const auto fail = [&file](std::string_view expected, std::string_view otherwise) {
        throw format_error(file, "", expected, detail::last_error(otherwise));
    };

    std::filesystem::path temporary;
    struct remove_when_left {
        const std::filesystem::path& name;
        bool exists = false;
        ~remove_when_left() {
            std::error_code ignored;
            if (exists) std::filesystem::remove(name, ignored);
        }
    } cleanup{temporary};
    detail::open_file handle;
    std::random_device random;
    for (int attempt = 0; !handle && attempt < 16; ++attempt) { // "x": never into a file somebody else has open
        temporary = path;
        temporary += std::string(".").append(std::to_string(random())).append(".tmp");
        errno = 0;
        handle.reset(std::fopen(temporary.string().c_str(), "wbx"));
        if (!handle && errno != EEXIST) break;
    }
    if (!handle) fail("a folder that takes a new file", "one that does not");
    cleanup.exists = true;

    errno = 0;
    for (const std::span<const std::byte> part : parts)
        if (!part.empty() && std::fwrite(part.data(), 1, part.size(), handle.get()) != part.size())
            fail("room for the whole file", "a failed write");
    if (!detail::reach_disk(handle.get())) fail("room for the whole file", "a failed write");
    if (std::fclose(handle.release()) != 0) fail("room for the whole file", "a failed write");

    std::error_code error;
    std::filesystem::rename(temporary, path, error);
    if (error) throw format_error(file, "", "a file that can be replaced", error.message());
    cleanup.exists = false;
    detail::names_reach_disk(path.parent_path());
}

/// The same for text.
inline void write_file(const std::filesystem::path& path, std::string_view text) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
    write_file(path, std::span(&bytes, 1));
}

} // namespace statiq::io
