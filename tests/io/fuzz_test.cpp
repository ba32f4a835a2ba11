// SPDX-License-Identifier: Apache-2.0

// Damaged files: whatever the damage, a reader refuses the file with a format_error or gives views that lie inside
// what it read. fuzz/ looks for such files by coverage; these few thousand are read in every build.

#include <statiq/io/safetensors_writer.hpp>

#include <doctest/doctest.h>

#include "../support/readers.hpp"
#include "support.hpp"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace statiq;
using readers::bytes;

namespace {

struct tally {
    int read = 0;
    int refused = 0;
};

using reader = void (*)(const bytes&);

/// Any other exception (above all std::bad_alloc) leaves the test case and fails it.
void read_or_refuse(reader read, const bytes& content, tally& count) {
    try {
        read(content);
        ++count.read;
    } catch (const io::format_error& error) {
        REQUIRE(std::string_view(error.what()).starts_with("damaged: "));
        readers::require_message(error.what());
        ++count.refused;
    }
}

std::size_t below(std::size_t limit, std::mt19937& random) { return random() % limit; }

/// A byte of the kind the formats' headers are made of, or any byte.
std::byte likely_byte(std::mt19937& random) {
    constexpr std::string_view usual = "{}[]()\":,' -.0123456789eE\\<|fiub\x80\xFF";
    if (random() % 4 == 0) return static_cast<std::byte>(random() & 0xFF);
    return static_cast<std::byte>(usual[below(usual.size(), random)]);
}

std::string likely_number(std::mt19937& random) {
    constexpr std::string_view numbers[] = {"0",
                                            "1",
                                            "7",
                                            "-1",
                                            "4294967296",
                                            "9223372036854775807",
                                            "9223372036854775808",
                                            "18446744073709551615",
                                            "18446744073709551616",
                                            "4611686018427387904",
                                            "1e3",
                                            "0.5",
                                            "1e999"};
    return std::string(numbers[below(std::size(numbers), random)]);
}

/// One random damage. Headers stand at the front, so half of the damage is aimed there.
void damage(bytes& content, std::size_t header, std::mt19937& random) {
    if (content.empty()) content.push_back(std::byte{0});
    const std::size_t reach = random() % 2 == 0 ? std::min(header, content.size()) : content.size();
    const std::size_t at = below(reach, random);
    const auto place = content.begin() + static_cast<std::ptrdiff_t>(at);
    const auto rest = static_cast<std::ptrdiff_t>(1 + below(std::min<std::size_t>(content.size() - at, 16), random));
    switch (random() % 8) {
    case 0:
        *place ^= static_cast<std::byte>(1u << (random() % 8));
        break;
    case 1:
        *place = likely_byte(random);
        break;
    case 2:
        content.insert(place, likely_byte(random));
        break;
    case 3:
        content.erase(place, place + rest);
        break;
    case 4: {
        const bytes piece(place, place + rest); // doubled
        content.insert(place, piece.begin(), piece.end());
        break;
    }
    case 5:
        content.resize(at);
        break;
    case 6: { // a number of the header becomes another
        const auto digit = [](std::byte b) { return b >= std::byte{'0'} && b <= std::byte{'9'}; };
        const auto first = std::find_if(place, content.end(), digit);
        const auto last = std::find_if_not(first, content.end(), digit);
        const bytes number = io_test::bytes_of(likely_number(random));
        content.insert(content.erase(first, last), number.begin(), number.end());
        break;
    }
    default: { // a length before the header becomes another
        const std::uint64_t lengths[] = {0,         1,          content.size() - 8, content.size() - 9, content.size(),
                                         1u << 16u, 0xFFFFFFFF, 100'000'000,        ~std::uint64_t{0},  random() % 512};
        const std::uint64_t length = lengths[below(std::size(lengths), random)];
        const std::size_t begin = random() % 2 == 0 ? 0 : 8; // safetensors' place and npy's
        for (std::size_t i = 0; i < 1 + random() % 8 && begin + i < content.size(); ++i)
            content[begin + i] = static_cast<std::byte>((length >> (8 * i)) & 0xFF);
    }
    }
}

tally fuzz(reader read, const bytes& valid, std::size_t header, unsigned seed, int rounds) {
    tally count;
    read(valid);
    for (std::size_t length = 0; length < valid.size(); ++length)
        read_or_refuse(read, bytes(valid.begin(), valid.begin() + static_cast<std::ptrdiff_t>(length)), count);
    CHECK(count.read == 0); // both formats fix their file's exact length

    for (std::size_t bit = 0; bit < 8 * valid.size(); ++bit) {
        bytes flipped = valid;
        flipped[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
        read_or_refuse(read, flipped, count);
    }
    std::mt19937 random(seed);
    for (int round = 0; round < rounds; ++round) {
        bytes content = valid;
        for (std::size_t damages = 1 + random() % 4; damages > 0; --damages) damage(content, header, random);
        read_or_refuse(read, content, count);
    }
    return count;
}

std::size_t header_end(const bytes& safetensors_file) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 8; ++i) length |= std::to_integer<std::size_t>(safetensors_file[i]) << (8 * i);
    return 8 + length;
}

} // namespace

TEST_CASE("damaged safetensors files are read safely or refused") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "w";
    io::write_safetensors(path, {});
    const bytes empty = io::read_file(path);
    io::write_safetensors(path,
                          io::safetensors_builder()
                              .add("conv.weight", {2, 1, 3}, std::vector<float>{1, -2, 3, 0.5f, 0, -0.25f})
                              .add("conv.bias", {2}, std::vector<std::int32_t>{-7, 9})
                              .add("d", {}, std::vector<double>{3.25})
                              .add("none", {3, 0}, std::vector<std::int64_t>{})
                              .add("\xC3\xA9", {5}, std::vector<std::int8_t>{1, 2, 3, 4, 5}),
                          {{"made by", "a test"}});
    const bytes written = io::read_file(path);
    const std::string odd_header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                   R"("b":{"dtype":"I16","shape":[2],"data_offsets":[1,5]},)"
                                   R"("c":{"dtype":"F64","shape":[1,1],"data_offsets":[5,13]}})";
    const bytes odd = io_test::bytes_of(io_test::little_endian(std::uint64_t{odd_header.size()}) + odd_header +
                                        io_test::counting(13));

    unsigned seed = 1;
    for (const bytes* valid : {&empty, &written, &odd}) {
        const tally count = fuzz([](const bytes& content) { (void)readers::read_safetensors(content); }, *valid,
                                 header_end(*valid), seed++, 6000);
        CHECK(count.read > 0); // not every damage shows: a flipped bit of the data, a space in the header
        CHECK(count.refused > 3000);
    }
}

TEST_CASE("damaged npy files are read safely or refused") {
    const std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }    \n";
    const std::string data = io_test::counting(24);
    const auto size16 = io_test::little_endian(static_cast<std::uint16_t>(text.size()));
    const auto size32 = io_test::little_endian(static_cast<std::uint32_t>(text.size()));
    unsigned seed = 11;
    for (const std::string& start : {std::string("\x93NUMPY\1\0", 8) + size16, std::string("\x93NUMPY\2\0", 8) + size32,
                                     std::string("\x93NUMPY\3\0", 8) + size32}) {
        const bytes valid = io_test::bytes_of(start + text + data);
        const tally count = fuzz(readers::read_npy, valid, start.size() + text.size(), seed++, 6000);
        CHECK(count.read > 0);
        CHECK(count.refused > 3000);
    }
}

TEST_CASE("damaged idx files are read safely or refused") {
    using namespace std::string_literals;
    unsigned seed = 21;
    for (const std::string& start : {"\0\0\x08\3\0\0\0\2\0\0\0\4\0\0\0\3"s, "\0\0\x0D\2\0\0\0\2\0\0\0\3"s}) {
        const bytes valid = io_test::bytes_of(start + io_test::counting(24));
        const tally count = fuzz(readers::read_idx, valid, start.size(), seed++, 6000);
        CHECK(count.read > 0);
        CHECK(count.refused > 3000);
    }
}
