// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/npy.hpp>

#include <doctest/doctest.h>

#include "support.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace statiq;
using io_test::bytes_of;
using io_test::counting;
using io_test::failure;
using io_test::little_endian;
using io_test::reports;

namespace {

constexpr std::string_view source = "x.npy";

std::string stored(int version, const std::string& dictionary, const std::string& data) {
    std::string text = "\x93NUMPY";
    text += static_cast<char>(version);
    text += '\0';
    text += version == 1 ? little_endian(static_cast<std::uint16_t>(dictionary.size()))
                         : little_endian(static_cast<std::uint32_t>(dictionary.size()));
    return text + dictionary + data;
}

std::string dictionary(const std::string& descr, const std::string& shape, const std::string& order = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

io::stored_array parsed(const std::string& text) { return io::parse_npy(bytes_of(text), std::string(source)); }

std::string refusal(const std::string& text) {
    return failure([&] { (void)parsed(text); });
}

template <class T>
void check_type(const std::string& descr, io::dtype type) {
    const std::size_t count = 6;
    // Every padding, so that the data begins at every residue modulo 8.
    for (std::size_t padding = 0; padding < 8; ++padding)
        for (const int version : {1, 2, 3}) {
            CAPTURE(descr);
            CAPTURE(padding);
            const std::string data = counting(count * sizeof(T));
            const io::stored_array array =
                parsed(stored(version, dictionary(descr, "(2, 3)") + std::string(padding, ' ') + "\n", data));
            CHECK(array.dtype == type);
            CHECK(array.shape == std::vector<std::int64_t>{2, 3});
            const auto values = array.values<T>();
            REQUIRE(values.size() == count);
            CHECK(reinterpret_cast<std::uintptr_t>(values.data()) % alignof(T) == 0);
            CHECK(std::ranges::equal(std::as_bytes(values), bytes_of(data)));
        }
}

template <class Temporary>
constexpr bool gives_views = requires(Temporary a) {
    std::forward<Temporary>(a).view().name;
};

} // namespace

static_assert(gives_views<const io::stored_array&> && !gives_views<io::stored_array&&>);

TEST_CASE("every element type and version is read, aligned") {
    check_type<double>("<f8", io::dtype::f64);
    check_type<float>("<f4", io::dtype::f32);
    check_type<io::float16>("<f2", io::dtype::f16);
    check_type<std::int64_t>("<i8", io::dtype::i64);
    check_type<std::uint64_t>("<u8", io::dtype::u64);
    check_type<std::int32_t>("<i4", io::dtype::i32);
    check_type<std::uint32_t>("<u4", io::dtype::u32);
    check_type<std::int16_t>("<i2", io::dtype::i16);
    check_type<std::uint16_t>("<u2", io::dtype::u16);
    check_type<std::int8_t>("|i1", io::dtype::i8);
    check_type<std::uint8_t>("|u1", io::dtype::u8);
    check_type<std::uint8_t>("|b1", io::dtype::boolean);
    check_type<std::int8_t>("<i1", io::dtype::i8);
}

TEST_CASE("numbers are read as little endian") {
    const std::string text = stored(1, dictionary("<f4", "(3,)"),
                                    little_endian(0x3F800000u) +     // 1
                                        little_endian(0xC0490FDBu) + // -pi
                                        little_endian(0x00000001u)); // the least positive
    const io::stored_array array = parsed(text);
    const auto values = array.values<float>();
    CHECK(values[0] == 1.0f);
    CHECK(values[1] == -3.14159274f);
    CHECK(values[2] == 0x1p-149f);
    const io::stored_array integers = parsed(stored(1, dictionary("<i2", "(2,)"), std::string("\xFF\xFF\x00\x80", 4)));
    CHECK(integers.values<std::int16_t>()[0] == -1);
    CHECK(integers.values<std::int16_t>()[1] == -32768);
}

TEST_CASE("a file is read like its bytes") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "a.npy";
    const auto bytes = bytes_of(stored(1, dictionary("|u1", "(2, 2)"), counting(4)));
    const std::array<std::span<const std::byte>, 1> parts{bytes};
    io::write_file(path, parts);
    const io::stored_array array = io::read_npy(path);
    CHECK(array.file == path.string());
    CHECK(array.values<std::uint8_t>()[3] == 3);
    const auto missing = folder.path() / "b.npy";
    CHECK(reports(failure([&] { (void)io::read_npy(missing); }), missing.string(), "", "readable", "no such file"));
}

TEST_CASE("the dictionary may be written in any way Python reads") {
    const std::vector<std::string> same{
        "{'descr':'<i2','fortran_order':False,'shape':(2,1)}",
        "{ \"shape\" : ( 2 , 1 , ) , \"fortran_order\" : False , \"descr\" : \"<i2\" , }",
        "\n{'fortran_order': False,\n 'shape': (2, 1), 'descr': '<i2', }   \n",
    };
    for (const std::string& text : same) {
        CAPTURE(text);
        const io::stored_array array = parsed(stored(1, text, counting(4)));
        CHECK(array.shape == std::vector<std::int64_t>{2, 1});
        CHECK(array.values<std::int16_t>()[1] == 0x0302);
    }
}

TEST_CASE("scalars and arrays without elements are arrays") {
    const io::stored_array scalar = parsed(stored(1, dictionary("<f8", "()"), counting(8)));
    CHECK(scalar.shape.empty());
    CHECK(scalar.values<double>().size() == 1);
    const io::stored_array none = parsed(stored(1, dictionary("<f8", "(3, 0)"), ""));
    CHECK(none.shape == std::vector<std::int64_t>{3, 0});
    CHECK(none.values<double>().empty());
}

TEST_CASE("what is asked of an array is checked") {
    const io::stored_array array = parsed(stored(1, dictionary("<f4", "(2, 1)"), counting(8)));
    CHECK(reports(failure([&] { (void)array.values<std::int32_t>(); }), source, "", "I32", "F32"));
    CHECK(array.view().require(io::dtype::f32, {2, 1}).bytes.size() == 8);
    CHECK(reports(failure([&] {
                      array.view().require(io::dtype::f32, {1, 2});
                  }),
                  source, "", "F32[1, 2]", "F32[2, 1]"));
}

TEST_CASE("each fault of the dictionary is named") {
    struct fault {
        std::string dictionary;
        std::string_view expected, found;
    };
    const std::vector<fault> faults{
        {"", "'{' at byte 0", "its end"},
        {"[]", "'{' at byte 0", "'[]'"},
        {"{", "a key in quotes", "its end"},
        {"{}", "each once", "no 'descr'"},
        {"{'descr': '<f4', 'shape': (1,)}", "each once", "no 'fortran_order'"},
        {"{'descr': '<f4', 'fortran_order': False}", "each once", "no 'shape'"},
        {"{'descr': '<f4', 'descr': '<f4'}", "each once", "the key 'descr'"},
        {"{'shape': (1,), 'shape': (1,)}", "each once", "the key 'shape'"},
        {"{'fortran_order': False, 'fortran_order': False}", "each once", "the key 'fortran_order'"},
        {"{'order': 1}", "each once", "the key 'order'"},
        {"{descr: '<f4'}", "a key in quotes", "'descr: '<f4'}'"},
        {"{'descr\": 1}", "the end of a text in quotes", ""},
        {"{'descr' '<f4'}", "':'", "''<f4'}'"},
        {"{'descr': '<f4' 'shape': (1,)}", "'}'", "'shape'"},
        {"{'descr': '<f4',, 'shape': (1,)}", "a key in quotes", "', 'shape'"},
        {dictionary("<f4", "(1,)") + "x", "nothing after", "'x'"},
        {dictionary("<f4", "(1,)") + std::string("\0", 1), "nothing after", "'\\x00'"},
        {dictionary("<f4", "(1,)") + "\t", "nothing after", "'\\x09'"},
        // element types
        {dictionary(">f4", "(1,)"), "little-endian descr", "'>f4'"},
        {dictionary("=f4", "(1,)"), "little-endian descr", "'=f4'"},
        {dictionary("|f4", "(1,)"), "little-endian descr", "'|f4'"},
        {dictionary("f4", "(1,)"), "little-endian descr", "'f4'"},
        {dictionary("<f16", "(1,)"), "little-endian descr", "'<f16'"},
        {dictionary("<c8", "(1,)"), "little-endian descr", "'<c8'"},
        {dictionary("|O", "(1,)"), "little-endian descr", "'|O'"},
        {dictionary("<U4", "(1,)"), "little-endian descr", "'<U4'"},
        {dictionary("\xE9xx", "(1,)"), "little-endian descr", "'\\xe9xx'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "not a record", "'[('a'"},
        {"{'descr': 4}", "an element type in quotes", "'4}'"},
        // order
        {dictionary("<f4", "(1,)", "True"), "C order", "fortran_order True"},
        {dictionary("<f4", "(1,)", "0"), "True or False", "'0, "},
        {dictionary("<f4", "(1,)", "false"), "True or False", "'false"},
        {dictionary("<f4", "(1,)", "Falsehood"), "'}'", "'hood"},
        // shapes
        {dictionary("<f4", "1"), "'('", "'1"},
        {dictionary("<f4", "[1]"), "'('", "'[1]"},
        {dictionary("<f4", "(1)"), "',' after a tuple's only number", "', }'"},
        {dictionary("<f4", "(,)"), "an extent", "',)"},
        {dictionary("<f4", "(1 2)"), "',' or ')'", "'2)"},
        {dictionary("<f4", "(1,,2)"), "an extent", "',2)"},
        {dictionary("<f4", "(-1,)"), "an extent", "'-1,"},
        {dictionary("<f4", "(+1,)"), "an extent", "'+1,"},
        {dictionary("<f4", "(1.0,)"), "',' or ')'", "'.0,"},
        {dictionary("<f4", "(1L,)"), "',' or ')'", "'L,"},
        {dictionary("<f4", "(01,)"), "without leading zeros", "'01,"},
        {dictionary("<f4", "((1,),)"), "an extent", "'(1,"},
        {dictionary("<f4", "(9223372036854775808,)"), "at most 2^63 - 1", "'9223372036854775808"},
        {dictionary("<f4", "(99999999999999999999999999,)"), "at most 2^63 - 1", "'99999999"},
        {dictionary("<f4", "(1,"), "an extent", "', }'"},
    };
    for (const fault& f : faults)
        for (const int version : {1, 2, 3}) {
            const std::string message = refusal(stored(version, f.dictionary, counting(4)));
            CAPTURE(f.dictionary);
            CAPTURE(message);
            CHECK(reports(message, source, "", f.expected, f.found));
        }
}

TEST_CASE("a shape that the data does not fill is named") {
    const auto refused = [](const std::string& descr, const std::string& shape, std::size_t data) {
        return refusal(stored(1, dictionary(descr, shape), counting(data)));
    };
    CHECK(reports(refused("<f4", "(2, 3)", 23), source, "", "F32[2, 3]", "23 bytes"));
    CHECK(reports(refused("<f4", "(2, 3)", 25), source, "", "F32[2, 3]", "25 bytes"));
    CHECK(reports(refused("<f4", "(2, 3)", 0), source, "", "F32[2, 3]", "0 bytes"));
    CHECK(reports(refused("|u1", "()", 0), source, "", "U8[]", "0 bytes"));
    CHECK(reports(refused("<f4", "(4611686018427387904,)", 0), source, "", "F32[4611686018427387904]", "0 bytes"));
    CHECK(reports(refused("|u1", "(4294967296, 4294967296)", 0), source, "", "U8[", "0 bytes"));
    CHECK(reports(refused("|u1", "(4294967296, 4294967296, 0)", 0), source, "", "U8[", "0 bytes"));
}

TEST_CASE("each fault before the dictionary is named") {
    CHECK(reports(refusal(""), source, "", "an npy file", "an empty file"));
    CHECK(reports(refusal("\x93NUMPX\1"), source, "", "\"\\x93NUMPY\"", "'\\x93NUMPX'"));
    CHECK(reports(refusal("PK\3\4 an npz"), source, "", "an npy file", "a zip archive"));
    CHECK(reports(refusal("\x93NUMPY\1"), source, "", "a version", "7 bytes"));
    const auto version = [](char major, char minor) {
        return refusal("\x93NUMPY" + std::string{major, minor} + std::string(8, '\0'));
    };
    CHECK(reports(version(0, 0), source, "", "version 1.0, 2.0 or 3.0", "0.0"));
    CHECK(reports(version(1, 1), source, "", "version 1.0, 2.0 or 3.0", "1.1"));
    CHECK(reports(version(4, 0), source, "", "version 1.0, 2.0 or 3.0", "4.0"));
    CHECK(reports(refusal(std::string("\x93NUMPY\1\0\2", 9)), source, "", "header's length", "9 bytes"));
    CHECK(reports(refusal(std::string("\x93NUMPY\2\0\2\0\0", 11)), source, "", "header's length", "11 bytes"));
    CHECK(reports(refusal(std::string("\x93NUMPY\1\0\3\0{}", 12)), source, "", "3 bytes", "2 bytes"));
    CHECK(reports(refusal(std::string("\x93NUMPY\3\0\xFF\xFF\xFF\xFF{}", 14)), source, "", "4294967295 bytes",
                  "2 bytes"));
}
