// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/file.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#if defined(__unix__)
#include <csignal>
#include <sys/resource.h>
#endif

#include "support.hpp"

using namespace statiq;
using io_test::bytes_of;
using io_test::counting;
using io_test::failure;
using io_test::reports;

namespace {
void write(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
    const std::array<std::span<const std::byte>, 1> parts{bytes};
    io::write_file(path, parts);
}
} // namespace

TEST_CASE("a written file holds its parts, replaces the old content and leaves nothing beside it") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "a.bin";
    const auto first = bytes_of(counting(300));
    const auto second = bytes_of(counting(7));
    for (const auto& [left, right] : {std::pair(first, second), std::pair(second, std::vector<std::byte>{}),
                                      std::pair(std::vector<std::byte>{}, std::vector<std::byte>{})}) {
        const std::array<std::span<const std::byte>, 2> parts{left, right};
        io::write_file(path, parts);
        auto whole = left;
        whole.insert(whole.end(), right.begin(), right.end());
        CHECK(io::read_file(path) == whole);
        CHECK(folder.files() == 1);
    }
}

TEST_CASE("reading says what is in the file's place") {
    const io_test::temporary_folder folder;
    const auto missing = folder.path() / "missing";
    CHECK(reports(failure([&] { (void)io::read_file(missing); }), missing.string(), "", "readable", "no such file"));
    CHECK(reports(failure([&] { (void)io::read_file(folder.path()); }), folder.path().string(), "", "a regular file",
                  "a directory"));
    const auto below_a_file = folder.path() / "file" / "below";
    write(folder.path() / "file", bytes_of("x"));
    CHECK(reports(failure([&] { (void)io::read_file(below_a_file); }), below_a_file.string(), "", "readable", ""));
}

TEST_CASE("a write that cannot be finished leaves the folder as it was") {
    const io_test::temporary_folder folder;
    const auto nowhere = folder.path() / "no" / "folder";
    CHECK(reports(failure([&] { write(nowhere, bytes_of("x")); }), nowhere.string(), "", "a folder", ""));

    const auto occupied = folder.path() / "occupied";
    std::filesystem::create_directories(occupied / "inner");
    CHECK(reports(failure([&] { write(occupied, bytes_of("x")); }), occupied.string(), "", "can be replaced", ""));
    CHECK(std::filesystem::is_directory(occupied / "inner"));
    CHECK(folder.files() == 1);
}

#if defined(__unix__)
TEST_CASE("a disk that fills up half way leaves the old content") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "a.bin";
    const auto old = bytes_of("old content");
    write(path, old);

    // A limit on the length of files stands for the full disk.
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 1 << 16;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string message = failure([&] { write(path, std::vector<std::byte>(1 << 18)); });
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);

    CHECK(reports(message, path.string(), "", "room for the whole file", ""));
    CHECK(io::read_file(path) == old);
    CHECK(folder.files() == 1);
}
#endif

// Sanitizers map more memory than any limit leaves, and have an end of their own for allocations that fail.
#if defined(__unix__) && !defined(__SANITIZE_ADDRESS__)
TEST_CASE("a file longer than memory is named") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "sparse";
    write(path, bytes_of("x"));
    std::filesystem::resize_file(path, 200'000'000'000); // without blocks on the disk

    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
    rlimit small = before;
    small.rlim_cur = rlim_t{4} << 30;
    REQUIRE(setrlimit(RLIMIT_AS, &small) == 0);
    rlimit now{};
    REQUIRE(getrlimit(RLIMIT_AS, &now) == 0);
    std::string message;
    const bool limited = now.rlim_cur == small.rlim_cur; // emulators may ignore it
    if (limited) message = failure([&] { (void)io::read_file(path); });
    setrlimit(RLIMIT_AS, &before);
    if (limited) CHECK(reports(message, path.string(), "", "memory for its 200000000000 bytes", "less"));
}
#endif

TEST_CASE("text from a file is one printable line in a message") {
    CHECK(io::detail::printable("conv1.weight") == "'conv1.weight'");
    CHECK(io::detail::printable(std::string("a\0\n\x7F", 4)) == "'a\\x00\\x0a\\x7f'");
    CHECK(io::detail::printable("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") ==
          "'\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80'");
    // Not UTF-8: a lone continuation, a cut character, an overlong '/', a surrogate, one past U+10FFFF.
    CHECK(io::detail::printable("\x80") == "'\\x80'");
    // Terminals obey U+0080 to U+009F as they obey escape sequences; U+00A0 is a space.
    CHECK(io::detail::printable("\xC2\x9B[2J") == "'\\xc2\\x9b[2J'");
    CHECK(io::detail::printable("\xC2\xA0") == "'\xC2\xA0'");
    CHECK(io::detail::printable("\xE2\x82") == "'\\xe2\\x82'");
    CHECK(io::detail::printable("\xC0\xAF") == "'\\xc0\\xaf'");
    CHECK(io::detail::printable("\xED\xA0\x80") == "'\\xed\\xa0\\x80'");
    CHECK(io::detail::printable("\xF4\x90\x80\x80") == "'\\xf4\\x90\\x80\\x80'");
    CHECK(io::detail::printable(std::string(1000, 'x'), 10) == "'xxxxxxxxxx...'");
    CHECK(io::detail::printable("xx\xE2\x82\xAC"
                                "x",
                                3) == "'xx\xE2\x82\xAC...'"); // whole characters only
}
