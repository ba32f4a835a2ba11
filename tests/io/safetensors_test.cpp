// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/safetensors.hpp>
#include <statiq/io/safetensors_writer.hpp>

#include <doctest/doctest.h>

#include "support.hpp"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
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

constexpr std::string_view source = "x.safetensors";

std::vector<std::byte> stored(const std::string& json, const std::string& data) {
    return bytes_of(little_endian(std::uint64_t{json.size()}) + json + data);
}

io::safetensors parsed(const std::string& json, const std::string& data) {
    return io::parse_safetensors(stored(json, data), std::string(source));
}

std::string refusal(const std::string& json, std::size_t data_size = 0) {
    return failure([&] { (void)parsed(json, counting(data_size)); });
}

/// Elements of any bits, NaNs and all.
template <class T>
std::vector<T> random_elements(std::size_t count, std::mt19937& random) {
    std::vector<T> values(count);
    for (T& value : values) {
        const std::uint64_t bits = (std::uint64_t{random()} << 32) | random();
        std::memcpy(static_cast<void*>(&value), &bits, sizeof value);
    }
    return values;
}

template <class T>
bool same_bits(std::span<const T> a, const std::vector<T>& b) {
    return a.size() == b.size() && (b.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

template <class F, class... Ts>
void for_each_type(const F& f) {
    (f(std::type_identity<Ts>{}), ...);
}

template <class F>
void for_each_element_type(const F& f) {
    for_each_type<F, double, float, io::float16, io::bfloat16, std::int64_t, std::uint64_t, std::int32_t, std::uint32_t,
                  std::int16_t, std::uint16_t, std::int8_t, std::uint8_t>(f);
}

std::vector<std::int64_t> random_shape(std::mt19937& random) {
    std::vector<std::int64_t> shape(random() % 5);
    for (std::int64_t& extent : shape) extent = random() % 9 == 0 ? 0 : static_cast<std::int64_t>(1 + random() % 6);
    return shape;
}

std::size_t elements(const std::vector<std::int64_t>& shape) {
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    return count;
}

template <class Temporary>
constexpr bool gives_views = requires(Temporary f) {
    std::forward<Temporary>(f).at("a").name;
};

} // namespace

static_assert(gives_views<const io::safetensors&> && !gives_views<io::safetensors&&>);

TEST_CASE("what is written is read back: types, shapes, bits, metadata") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "weights.safetensors";
    std::mt19937 random(20240611);
    for (int round = 0; round < 40; ++round) {
        io::safetensors_builder builder;
        std::vector<std::vector<std::int64_t>> shapes;
        const std::mt19937 start = random;
        const int repeats = static_cast<int>(random() % 3);
        for (int repeat = 0; repeat < repeats; ++repeat)
            for_each_element_type([&]<class T>(std::type_identity<T>) {
                shapes.push_back(random_shape(random));
                builder.add("t" + std::to_string(shapes.size() - 1), shapes.back(),
                            random_elements<T>(elements(shapes.back()), random));
            });
        io::safetensors_metadata metadata;
        if (round % 2 == 1) metadata = {{"origin", "a \"test\"\n"}, {"\xC3\xA9t\xC3\xA9", ""}};
        io::write_safetensors(path, builder, metadata);
        CHECK(folder.files() == 1);

        const io::safetensors file = io::read_safetensors(path);
        CHECK(file.metadata() == metadata);
        REQUIRE(file.size() == shapes.size());
        random = start;
        (void)random();
        std::size_t i = 0;
        for (int repeat = 0; repeat < repeats; ++repeat)
            for_each_element_type([&]<class T>(std::type_identity<T>) {
                const std::string name = "t" + std::to_string(i);
                REQUIRE(random_shape(random) == shapes[i]);
                const io::tensor_view tensor = file.at(name);
                CHECK(tensor.name == name);
                CHECK(tensor.dtype == io::dtype_of<T>);
                CHECK(std::ranges::equal(tensor.shape, shapes[i]));
                CHECK(same_bits(tensor.values<T>(), random_elements<T>(elements(shapes[i]), random)));
                ++i;
            });
    }
}

TEST_CASE("a written file follows the format's advice: length, padding, alignment, order") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "w";
    io::safetensors_builder builder;
    builder.add("bytes", {3}, std::vector<std::int8_t>{1, 2, 3});
    builder.add("doubles", {1}, std::vector<double>{1.0});
    builder.add("halves", {1}, std::vector<io::float16>{{0x3C00}});
    builder.add("flags", io::dtype::boolean, {2}, bytes_of(std::string("\0\1", 2)));
    builder.add("more doubles", {1}, std::vector<double>{-2.0});
    io::write_safetensors(path, builder, {{"a", "b"}});

    const auto bytes = io::read_file(path);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    CHECK(length % 8 == 0);
    std::string header(reinterpret_cast<const char*>(bytes.data()) + 8, length);
    header.erase(header.find_last_not_of(' ') + 1);
    CHECK(header == R"({"__metadata__":{"a":"b"},)"
                    R"("doubles":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                    R"("more doubles":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},)"
                    R"("halves":{"dtype":"F16","shape":[1],"data_offsets":[16,18]},)"
                    R"("bytes":{"dtype":"I8","shape":[3],"data_offsets":[18,21]},)"
                    R"("flags":{"dtype":"BOOL","shape":[2],"data_offsets":[21,23]}})");
    CHECK(bytes.size() == 8 + length + 23);

    const io::safetensors file = io::read_safetensors(path);
    CHECK(file.names() == std::vector<std::string_view>{"doubles", "more doubles", "halves", "bytes", "flags"});
    CHECK(file.at("flags").values<std::uint8_t>()[1] == 1);
}

TEST_CASE("the data of a written file begins at a multiple of 8, after spaces") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "w";
    for (std::size_t longer = 0; longer < 8; ++longer) {
        io::write_safetensors(path, {}, {{"a", std::string(longer, 'b')}});
        const auto bytes = io::read_file(path);
        CHECK(bytes.size() % 8 == 0);
        const std::string header(reinterpret_cast<const char*>(bytes.data()) + 8, bytes.size() - 8);
        const std::size_t end = header.rfind('}') + 1;
        CHECK(header.size() - end < 8);
        CHECK(header.find_first_not_of(' ', end) == std::string::npos);
    }
}

TEST_CASE("what cannot be stored is refused and the old file stays") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "w";
    io::write_safetensors(path, {}, {{"which", "old"}});
    const auto refused = [&](const io::safetensors_builder& builder, const io::safetensors_metadata& metadata = {}) {
        return failure([&] { io::write_safetensors(path, builder, metadata); });
    };
    const std::vector<float> six(6);
    const auto one = [&](std::string name, std::vector<std::int64_t> shape) {
        return io::safetensors_builder().add(std::move(name), std::move(shape), six);
    };
    const std::string p = path.string();
    CHECK(reports(refused(one("w", {2, 4})), p, "w", "F32[2, 4]", "24 bytes"));
    CHECK(reports(refused(one("w", {-2, -3})), p, "w", "F32[-2, -3]", "24 bytes"));
    CHECK(reports(refused(one("w", {std::int64_t{1} << 32, std::int64_t{1} << 32})), p, "w", "F32[", "24 bytes"));
    CHECK(reports(refused(io::safetensors_builder().add("w", io::dtype::f32, {1}, bytes_of("12345"))), p, "w", "F32[1]",
                  "5 bytes"));
    CHECK(reports(refused(one("w", {6}).add("v", {6}, six).add("w", {6}, six)), p, "w", "once", "two"));
    CHECK(reports(refused(one("__metadata__", {6})), p, "__metadata__", "another name", "it"));
    CHECK(reports(refused(one("w\xFF", {6})), p, "", "UTF-8", "'w\\xff'"));
    CHECK(reports(refused(one("w", {6}), {{"key", "\xC0\xAF"}}), p, "", "UTF-8", "'\\xc0\\xaf'"));
    CHECK(io::read_safetensors(path).metadata().at("which") == "old");
    CHECK(folder.files() == 1);
}

TEST_CASE("tensors at odd places are read aligned and whole") {
    // Every length of padding, so that the data begins at every residue modulo 8.
    for (std::size_t padding = 0; padding < 8; ++padding) {
        CAPTURE(padding);
        const io::safetensors file = parsed(R"({"a":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},)"
                                            R"("e":{"dtype":"F64","shape":[0],"data_offsets":[19,19]},)"
                                            R"("d":{"dtype":"I16","shape":[1,1],"data_offsets":[19,21]},)"
                                            R"("c":{"dtype":"U64","shape":[2],"data_offsets":[3,19]}})" +
                                                std::string(padding, ' '),
                                            counting(21));
        CHECK(file.names() == std::vector<std::string_view>{"a", "c", "e", "d"}); // by place, not by the header
        const auto c = file.at("c").values<std::uint64_t>();
        CHECK(reinterpret_cast<std::uintptr_t>(c.data()) % alignof(std::uint64_t) == 0);
        REQUIRE(c.size() == 2);
        CHECK(c[0] == 0x0A09080706050403);
        CHECK(c[1] == 0x1211100F0E0D0C0B);
        CHECK(file.at("d").values<std::int16_t>()[0] == 0x1413);
        CHECK(file.at("a").values<std::int8_t>()[2] == 2);
        CHECK(file.at("e").values<double>().empty());

        io::safetensors copy = file; // views of a copy refer into the copy
        CHECK(copy.at("c").bytes.data() != file.at("c").bytes.data());
        const io::safetensors moved = std::move(copy);
        CHECK(moved.at("c").values<std::uint64_t>()[1] == 0x1211100F0E0D0C0B);
    }
}

TEST_CASE("an aligned file is not copied") {
    const std::string json = R"({"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]}} )";
    const std::size_t padding = (8 - json.size() % 8) % 8;
    auto bytes = stored(json + std::string(padding, ' '), counting(8));
    const std::byte* const end = bytes.data() + bytes.size();
    const io::safetensors file = io::parse_safetensors(std::move(bytes), std::string(source));
    CHECK(file.at("a").bytes.data() + 8 == end);
    CHECK(file.at("a").shape.empty());
}

TEST_CASE("a file without tensors is a file") {
    CHECK(parsed("{}", "").size() == 0);
    CHECK(parsed(R"({"__metadata__":{}})", "").metadata().empty());
    const io::safetensors spaced = parsed("{ \n}  ", "");
    CHECK(spaced.names().empty());
}

TEST_CASE("what is asked of a tensor is checked") {
    const io::safetensors f = parsed(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                     R"("h":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]}})",
                                     std::string(24, '\0') + std::string("\x80\x3F\x40\xC0", 4));
    CHECK(f.contains("w"));
    CHECK(!f.contains("W"));
    CHECK(reports(failure([&] { (void)f.at("v"); }), source, "v", "a tensor of this name", "2 tensors: 'h', 'w'"));
    CHECK(reports(failure([&] { (void)f.at("w").values<std::int8_t>(); }), source, "w", "I8", "F32"));
    CHECK(reports(failure([&] { (void)f.at("h").values<io::float16>(); }), source, "h", "F16", "BF16"));
    CHECK(f.require("w", io::dtype::f32, {2, 3}).values<float>().size() == 6);
    CHECK(reports(failure([&] {
                      (void)f.require("w", io::dtype::f32, {3, 2});
                  }),
                  source, "w", "F32[3, 2]", "F32[2, 3]"));
    CHECK(reports(failure([&] { (void)f.require("w", io::dtype::i8, {2, 3}); }), source, "w", "I8[2, 3]", "F32[2, 3]"));
    CHECK(reports(failure([&] { (void)f.require("w", io::dtype::f32, {6}); }), source, "w", "F32[6]", "F32[2, 3]"));
    CHECK(reports(failure([&] { (void)f.require("v", io::dtype::f32, {6}); }), source, "v", "this name", "'w'"));

    CHECK(io::to_floats(f.at("h")) == std::vector<float>{1.0f, -3.0f});
    CHECK(io::to_floats(f.at("w")) == std::vector<float>(6, 0.0f));
    const io::safetensors bytes = parsed(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x");
    CHECK(reports(failure([&] { (void)io::to_floats(bytes.at("b")); }), source, "b", "F32", "U8"));
}

TEST_CASE("a tensor of a type that is not read makes no file unreadable, and is named when it is asked for") {
    // Float8 of one byte, a type of two bytes, 4-bit integers of half a byte; the float beside them lies at an odd
    // place.
    const io::safetensors f = parsed(R"({"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},)"
                                     R"("w":{"dtype":"F32","shape":[1],"data_offsets":[3,7]},)"
                                     R"("c":{"dtype":"new\ntype","shape":[1],"data_offsets":[7,9]},)"
                                     R"("n":{"dtype":"I4","shape":[2,3],"data_offsets":[9,12]}})",
                                     std::string("\1\2\3\0\0\x80\x3F\7\7\1\1\1", 12));
    CHECK(f.size() == 4);
    CHECK(f.contains("a"));
    CHECK(f.at("w").values<float>()[0] == 1.0F);
    CHECK(reports(failure([&] { (void)f.at("a"); }), source, "a", "a dtype of F64, F32, F16, BF16, I64",
                  "the dtype 'F8_E4M3'"));
    CHECK(reports(failure([&] { (void)f.require("n", io::dtype::i8, {2, 3}); }), source, "n", "a dtype of", "'I4'"));
    CHECK(reports(failure([&] { (void)f.at("c"); }), source, "c", "a dtype of", "'new\\x0atype'"));
    // Their places are checked all the same.
    CHECK(reports(refusal(R"({"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,4]}})", 3), source, "a",
                  "inside the 3 bytes", "[0, 4]"));
    CHECK(reports(refusal(R"({"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[1,3]}})", 3), source, "a", "at byte 0",
                  "a gap"));
}

TEST_CASE("a file of another format is called what it is") {
    using namespace std::string_literals;
    const auto refused = [](const std::string& text) {
        return failure([&] { (void)io::parse_safetensors(bytes_of(text), std::string(source)); });
    };
    const auto is_called = [&](const std::string& text, std::string_view kind) {
        CAPTURE(kind);
        CHECK(reports(refused(text), source, "", "a safetensors file", kind));
    };
    const std::string rest(64, '\x11');
    is_called("", "an empty file");
    is_called("PK\3\4\0\0\x08\x08"s + rest, "a zip archive, as PyTorch's .pt");
    is_called("\x80\2\x8A\nl\xFC\x9C\x46\xF9"s + rest, "a Python pickle, as PyTorch's old .pt");
    is_called("\x08\7\x12\7pytorch\x1A\x05"s + rest, "an ONNX model");
    is_called("\x08\7\x3A\xF0\xAB\xCD\1\n"s + rest, "an ONNX model");
    is_called("\x1C\0\0\0TFL3\x14\0\x20\0"s + rest, "a TensorFlow Lite model (.tflite)");
    is_called("\x89HDF\r\n\x1A\n"s + rest, "an HDF5 file");
    is_called("\x93NUMPY\1\0"s + rest, "a NumPy array");
    is_called("GGUF\3\0\0\0"s + rest, "a GGUF file");
    is_called("\x1F\x8B\x08\0\0\0\0\0"s + rest, "gunzip");
    is_called("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull");
    is_called("<!DOCTYPE html>\n<html>\n", "a text file");
    is_called("short", "a text file");
    CHECK(refused("\x7F\x45\x4C\x46\2\1\1\0"s + rest).find("at most 100000000") != std::string::npos); // none of them
    // Its own format with too long a header is not called another.
    CHECK(refused(little_endian(std::uint64_t{100'000'001}) + "{\"").find("found 100000001") != std::string::npos);
}

TEST_CASE("each fault of a header is named") {
    struct fault {
        std::string json;
        std::size_t data;
        std::string_view tensor, expected, found;
    };
    const auto tensor = [](const std::string& fields) { return "{\"w\":{" + fields + "}}"; };
    const auto placed = [&](const std::string& shape, const std::string& offsets) {
        return tensor(R"("dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets);
    };
    const std::string a = R"("a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]})";
    const auto with_a = [&](const std::string& rest) { return "{" + a + "," + rest + "}"; };
    const std::vector<fault> faults{
        // not the JSON of a header
        {"", 0, "", "begins with '{'", "empty"},
        {" {}", 0, "", "begins with '{'", "' '"},
        {"\xEF\xBB\xBF{}", 0, "", "begins with '{'", ""},
        {"[]", 0, "", "begins with '{'", "'['"},
        {"{", 0, "", "JSON", "byte"},
        {"{}}", 0, "", "JSON", "byte 3"},
        {"{} x", 0, "", "JSON", "byte 4"},
        {std::string("{}\0garbage", 10), 0, "", "JSON", "zero byte"},
        {"{\"\xFF\":{}}", 0, "", "UTF-8", "byte 3"},
        {"{\"\xC0\xAF\":{}}", 0, "", "UTF-8", "byte"},
        {"{\"\\ud800\":{}}", 0, "", "UTF-8", "byte"},
        {"{/**/}", 0, "", "JSON", "byte"},
        {"{\"w\":{},}", 0, "w", "a 'dtype'", "none"},
        {"{" + a + ",}", 4, "", "JSON", "byte"},
        {placed("[1e999]", "[0,0]"), 0, "", "JSON", "byte"},
        // not the places of a header
        {"{\"w\":1}", 0, "w", "an object of dtype, shape and data_offsets", "1"},
        {"{\"w\":null}", 0, "w", "an object", "null"},
        {"{\"w\":[]}", 0, "w", "an object", "an array"},
        {"{\"__metadata__\":\"x\"}", 0, "", "an object under \"__metadata__\"", "'x'"},
        {R"({"__metadata__":{"a":1}})", 0, "", "text under \"__metadata__\"", "1"},
        {R"({"__metadata__":{"a":{}}})", 0, "", "text", "an object"},
        {R"({"__metadata__":{"a":["b"]}})", 0, "", "text", "an array"},
        {R"({"__metadata__":{"a":"b","a":"c"}})", 0, "", "metadata key once", "repeated"},
        {R"({"__metadata__":{},"__metadata__":{}})", 0, "", "once", "twice"},
        {tensor(""), 0, "w", "a 'dtype'", "none"},
        {tensor(R"("dtype":"F32","data_offsets":[0,0])"), 0, "w", "a 'shape'", "none"},
        {tensor(R"("dtype":"F32","shape":[0])"), 0, "w", "a 'data_offsets'", "none"},
        {tensor(R"("dtype":"F32","dtype":"F32")"), 0, "w", "once", "a second 'dtype'"},
        {tensor(R"("shape":[1],"shape":[1])"), 0, "w", "once", "a second 'shape'"},
        {tensor(R"("data_offsets":[0,0],"data_offsets":[0,0])"), 0, "w", "once", "a second 'data_offsets'"},
        {tensor(R"("Dtype":"F32")"), 0, "w", "once", "the key 'Dtype'"},
        {tensor(R"("dtype":3)"), 0, "w", "a dtype, a text", "3"},
        {tensor(R"("dtype":["F32"])"), 0, "w", "a dtype, a text", "an array"},
        {tensor(R"("dtype":"F\n8","shape":[9223372036854775807,2],"data_offsets":[0,0])"), 0, "w",
         "'F\\x0a8'[9223372036854775807, 2]", "0 bytes"},
        {placed("4", "[0,4]"), 4, "w", "an array", "4"},
        {placed("{}", "[0,4]"), 4, "w", "an array", "an object"},
        {placed("[true]", "[0,4]"), 4, "w", "extents", "true"},
        {placed("[\"1\"]", "[0,4]"), 4, "w", "extents", "'1'"},
        {placed("[[1]]", "[0,4]"), 4, "w", "extents", "an array"},
        {placed("[1.0]", "[0,4]"), 4, "w", "extents", "1.0"},
        {placed("[-1]", "[0,4]"), 4, "w", "extents", "-1"},
        {placed("[-0]", "[0,0]"), 0, "w", "extents", "0"},
        {placed("[9223372036854775808]", "[0,4]"), 4, "w", "extents", "9223372036854775808"},
        {placed("[18446744073709551616]", "[0,4]"), 4, "w", "extents", "18446744073709551616"},
        {placed("[1]", "4"), 4, "w", "an array", "4"},
        {placed("[1]", "[]"), 4, "w", "a begin and an end", "0 numbers"},
        {placed("[1]", "[0]"), 4, "w", "a begin and an end", "1 numbers"},
        {placed("[1]", "[0,4,4]"), 4, "w", "a begin and an end", "a third number"},
        {placed("[1]", "[-4,0]"), 4, "w", "a begin and an end", "-4"},
        {placed("[1]", "[0,4.0]"), 4, "w", "a begin and an end", "4.0"},
        {placed("[1]", "[0,\"4\"]"), 4, "w", "a begin and an end", "'4'"},
        {placed("[1]", "[null,4]"), 4, "w", "a begin and an end", "null"},
        {placed("[1]", "[0,18446744073709551616]"), 4, "w", "a begin and an end", "18446744073709551616"},
        // not the data
        {placed("[1]", "[0,4]"), 3, "w", "inside the 3 bytes", "[0, 4]"},
        {placed("[1]", "[0,18446744073709551615]"), 4, "w", "inside the 4 bytes", "18446744073709551615"},
        {placed("[1]", "[4,0]"), 4, "w", "inside the 4 bytes", "[4, 0]"},
        {placed("[1]", "[18446744073709551612,0]"), 4, "w", "inside", "[18446744073709551612, 0]"},
        {placed("[2]", "[0,4]"), 4, "w", "F32[2]", "4 bytes"},
        {placed("[1]", "[0,5]"), 5, "w", "F32[1]", "5 bytes"},
        {placed("[0]", "[0,4]"), 4, "w", "F32[0]", "4 bytes"},
        {placed("[]", "[0,0]"), 0, "w", "F32[]", "0 bytes"},
        {placed("[4611686018427387904]", "[0,0]"), 0, "w", "F32[4611686018427387904]", "0 bytes"}, // bytes wrap to 0
        {placed("[4294967296,4294967296]", "[0,0]"), 0, "w", "F32[4294967296, 4294967296]", "0 bytes"},
        {placed("[4294967296,4294967296,0]", "[0,0]"), 0, "w", "F32[", "0 bytes"},
        {placed("[0,4294967296,4294967296]", "[0,0]"), 0, "w", "F32[", "0 bytes"},
        {placed("[1]", "[0,4]"), 5, "", "4 bytes of data", "5"},
        {"{}", 1, "", "0 bytes of data", "1"},
        {placed("[1]", "[1,5]"), 5, "w", "at byte 0", "a gap: data_offsets [1, 5]"},
        {with_a(R"("b":{"dtype":"I8","shape":[1],"data_offsets":[5,6]})"), 6, "b", "at byte 4", "a gap"},
        {with_a(R"("b":{"dtype":"I8","shape":[3],"data_offsets":[3,6]})"), 6, "b", "at byte 4", "an overlap"},
        {with_a(R"("b":{"dtype":"I8","shape":[4],"data_offsets":[0,4]})"), 4, "b", "at byte 4", "an overlap"},
        {with_a(R"("b":{"dtype":"I8","shape":[0],"data_offsets":[2,2]})"), 4, "b", "at byte 4", "an overlap"},
        {with_a(R"("a":{"dtype":"I8","shape":[1],"data_offsets":[4,5]})"), 5, "a", "once", "two tensors"},
    };
    for (const fault& f : faults) {
        const std::string message = refusal(f.json, f.data);
        CAPTURE(f.json);
        CAPTURE(message);
        CHECK(reports(message, source, f.tensor, f.expected, f.found));
    }
}

TEST_CASE("each fault of the length before the header is named") {
    const auto refused = [](const std::string& text) {
        return failure([&] { (void)io::parse_safetensors(bytes_of(text), std::string(source)); });
    };
    CHECK(reports(refused(""), source, "", "a safetensors file", "an empty file"));
    for (std::size_t size = 1; size < 8; ++size)
        CHECK(reports(refused(std::string(size, '\0')), source, "", "8 bytes", std::to_string(size) + " bytes"));
    CHECK(reports(refused(little_endian(std::uint64_t{0})), source, "", "begins with '{'", "empty"));
    CHECK(reports(refused(little_endian(std::uint64_t{3}) + "{}"), source, "", "3 bytes", "2 bytes"));
    for (const std::uint64_t length : {std::uint64_t{100'000'001}, ~std::uint64_t{0}, ~std::uint64_t{7}})
        CHECK(reports(refused(little_endian(length) + "{}"), source, "", "at most 100000000", std::to_string(length)));
}

TEST_CASE("a header nested deeply or long is refused as quickly as any other") {
    constexpr std::size_t depth = 2'000'000;
    CHECK(reports(refusal("{\"w\":" + std::string(depth, '[')), source, "w", "an object", "an array"));
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i) objects += "{\"w\":";
    CHECK(reports(refusal(objects), source, "w", "once", "the key 'w'"));
    const std::string message = refusal("{\"" + std::string(depth, 'x') + "\":1}");
    CHECK(message.size() < 1000);
    CHECK(message.find("...'") != std::string::npos);
    CHECK(refusal("{\"w\":{\"shape\":[" + std::string(depth, '9') + "]}}").size() < 1000);
}
