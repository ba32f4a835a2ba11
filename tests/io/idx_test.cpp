// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/idx.hpp>

#include <doctest/doctest.h>

#include "support.hpp"
#include <bit>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

using namespace statiq;
using namespace std::string_literals;
using io_test::bytes_of;
using io_test::counting;
using io_test::failure;
using io_test::reports;

namespace {

constexpr std::string_view source = "digits-idx3-ubyte";

template <class T>
std::string big_endian(T value) {
    std::string text = io_test::little_endian(value);
    return {text.rbegin(), text.rend()};
}
std::string idx_text(char type, const std::vector<std::uint32_t>& shape, const std::string& data) {
    std::string text = "\0\0"s + type + static_cast<char>(shape.size());
    for (const std::uint32_t extent : shape) text += big_endian(extent);
    return text + data;
}
io::stored_array parsed(const std::string& text) { return io::parse_idx(bytes_of(text), std::string(source)); }

/// Two rows of three elements, stored big endian, are read as the numbers they are.
template <class T, class Bits>
void check_type(char code, io::dtype type, const std::vector<T>& values) {
    std::string data;
    for (const T value : values) data += big_endian(std::bit_cast<Bits>(value));
    const io::stored_array array = parsed(idx_text(code, {2, 3}, data));
    CHECK(array.dtype == type);
    CHECK(array.shape == std::vector<std::int64_t>{2, 3});
    const auto read = array.values<T>();
    CHECK(std::vector<T>(read.begin(), read.end()) == values);
}

} // namespace

TEST_CASE("every element type of idx is read, big endian") {
    check_type<std::uint8_t, std::uint8_t>(0x08, io::dtype::u8, {0, 1, 127, 128, 254, 255});
    check_type<std::int8_t, std::uint8_t>(0x09, io::dtype::i8, {0, 1, -1, 127, -128, 5});
    check_type<std::int16_t, std::uint16_t>(0x0B, io::dtype::i16, {0, 1, -2, 32767, -32768, 258});
    check_type<std::int32_t, std::uint32_t>(0x0C, io::dtype::i32, {0, 1, -2, 0x01020304, -5, 7});
    check_type<float, std::uint32_t>(0x0D, io::dtype::f32, {0.0F, 1.5F, -2.25F, 1e30F, -1e-30F, 3.0F});
    check_type<double, std::uint64_t>(0x0E, io::dtype::f64, {0.0, 1.5, -2.25, 1e300, -1e-300, 3.0});
}

TEST_CASE("an array of no axes is one element, one of an empty axis none") {
    const io::stored_array scalar = parsed("\0\0\x08\0\x2A"s);
    CHECK(scalar.shape.empty());
    CHECK(scalar.values<std::uint8_t>()[0] == 42);
    const io::stored_array none = parsed(idx_text(0x0D, {3, 0}, ""));
    CHECK(none.values<float>().empty());
}

TEST_CASE("what is not an idx file is refused with what was expected and found") {
    const auto refused = [](const std::string& text) { return failure([&] { (void)parsed(text); }); };
    const std::string valid = idx_text(0x08, {2, 3}, counting(6));
    CHECK(refused(valid) == "");
    CHECK(reports(refused(""), source, "", "an idx file", "an empty file"));
    CHECK(reports(refused("\0\0\x08"s), source, "", "4 bytes of type", "3 bytes"));
    CHECK(reports(refused("\0\1\x08\0\0"s), source, "", "two zero bytes", "0 and 1"));
    CHECK(reports(refused("\0\0\x0A\1\0\0\0\0"s), source, "", "a type of 8, 9, 11, 12, 13 or 14", "10"));
    CHECK(reports(refused("\0\0\x08\2\0\0\0\1"s), source, "", "extents of 2 axes", "8 bytes in all"));
    CHECK(reports(refused(valid + "x"), source, "", "the data of U8[2, 3]", "7 bytes"));
    CHECK(reports(refused(valid.substr(0, valid.size() - 1)), source, "", "the data of U8[2, 3]", "5 bytes"));
    CHECK(reports(refused(idx_text(0x0D, {2}, counting(7))), source, "", "the data of F32[2]", "7 bytes"));
    CHECK(reports(refused("\x1F\x8B\x08\0rest"s), source, "", "an idx file", "gunzip"));
    // The product of these extents leaves 64 bits; in them it would be 0.
    CHECK(reports(refused(idx_text(0x08, {1U << 31U, 1U << 31U, 4}, "")), source, "", "2147483648", "0 bytes"));
}

TEST_CASE("read_array tells npy and idx files by their first bytes") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "array";
    const auto write = [&](const std::string& text) { std::ofstream(path, std::ios::binary) << text; };
    write(idx_text(0x08, {3}, counting(3)));
    CHECK(io::read_array(path).shape == std::vector<std::int64_t>{3});
    const std::string dictionary = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }";
    write("\x93NUMPY\1\0"s + io_test::little_endian(static_cast<std::uint16_t>(dictionary.size())) + dictionary +
          counting(8));
    CHECK(io::read_array(path).dtype == io::dtype::i32);
    for (const std::string& other : {""s, "\xFF\xD8\xFF\xE0"s})
        CHECK([&] {
            write(other);
            return reports(failure([&] { (void)io::read_array(path); }), path.string(), "", "an npy or idx file", "");
        }());
}
