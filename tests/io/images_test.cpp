// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/images.hpp>

#include <doctest/doctest.h>

#include "../support/refused.hpp"
#include "support.hpp"
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace statiq;
using namespace std::string_literals;
using io_test::counting;
using io_test::failure;
using io_test::reports;

namespace {

constexpr std::string_view source = "images.npy";

std::string npy_text(const std::string& descr, const std::string& shape, const std::string& data) {
    const std::string dictionary = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
    return std::string("\x93NUMPY\x01\0", 8) + io_test::little_endian(static_cast<std::uint16_t>(dictionary.size())) +
           dictionary + data;
}
io::stored_array npy_of(const std::string& descr, const std::string& shape, const std::string& data) {
    return io::parse_npy(io_test::bytes_of(npy_text(descr, shape, data)), std::string(source));
}
io::image_set images_of(const std::string& shape, std::size_t bytes, const extents& expected,
                        io::preprocessing how = {}) {
    return {npy_of("|u1", shape, counting(bytes)), expected, std::move(how)};
}

} // namespace

TEST_CASE("pixels become reals as pixel * scale + offset, in the order they are stored") {
    const auto plain = images_of("(3, 2, 1, 2)", 12, {2, 1, 2});
    REQUIRE(plain.size() == 3);
    CHECK(plain.image_extents() == extents{2, 1, 2});
    for (std::size_t i = 0; i < 3; ++i) {
        const auto sample = plain[i];
        REQUIRE(sample.size() == 4);
        for (std::size_t k = 0; k < 4; ++k) CHECK(sample[k] == static_cast<float>(4 * i + k));
    }

    // One scale for all channels, an offset for each.
    const auto scaled = images_of("(1, 1, 2, 3)", 6, {1, 2, 3}, {.scale = {0.5F}, .offset = {0, 10, 20}});
    const auto sample = scaled[0];
    CHECK(std::vector<float>(sample.begin(), sample.end()) == std::vector<float>{0, 10.5F, 21, 1.5F, 12, 22.5F});

    const auto centred = images_of("(1, 16, 16, 1)", 256, {16, 16, 1}, io::minus_one_to_one());
    CHECK(centred[0][0] == -1);
    CHECK(centred[0][255] == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("another type, rank or image size is refused with what was expected and found") {
    const auto refused = [](const std::string& descr, const std::string& shape, std::size_t bytes) {
        return failure([&] { io::image_set(npy_of(descr, shape, counting(bytes)), {2, 2, 1}, {}); });
    };
    CHECK(refused("|u1", "(3, 2, 2, 1)", 12) == "");
    const std::string wanted = "uint8 images [count, 2, 2, 1]";
    CHECK(reports(refused("|i1", "(3, 2, 2, 1)", 12), source, "", wanted, "I8[3, 2, 2, 1]"));
    CHECK(refused("|u1", "(3, 2, 2)", 12) == ""); // grey images need no axis of channels
    CHECK(reports(refused("|u1", "(3, 4)", 12), source, "", wanted, "U8[3, 4]"));
    CHECK(reports(refused("|u1", "(3, 4, 1)", 12), source, "", wanted, "U8[3, 4, 1]"));
    CHECK(reports(refused("|u1", "(3, 2, 2, 3)", 36), source, "", wanted, "U8[3, 2, 2, 3]"));
    CHECK(reports(refused("|u1", "(3, 1, 4, 1)", 12), source, "", wanted, "U8[3, 1, 4, 1]"));
    CHECK(reports(refused("|u1", "(12,)", 12), source, "", wanted, "U8[12]"));
}

TEST_CASE("preprocessing for another number of channels is refused") {
    const auto made = [](std::vector<float> scale, std::vector<float> offset) {
        (void)images_of("(1, 1, 1, 3)", 3, {1, 1, 3}, {std::move(scale), std::move(offset)});
    };
    CHECK_NOTHROW(made({1}, {1, 2, 3}));
    CHECK_THROWS_AS(made({1, 2}, {0}), std::invalid_argument);
    CHECK_THROWS_AS(made({1}, {0, 0, 0, 0}), std::invalid_argument);
    CHECK_THROWS_AS(made({}, {0}), std::invalid_argument);
    CHECK_THROWS_WITH(made({1}, {}), "preprocessing of images.npy: expected 1 or 3 scales and offsets, found 0");
}

TEST_CASE("colours need their axis of channels") {
    const std::string message = failure([] { io::image_set(npy_of("|u1", "(3, 2, 2)", counting(12)), {2, 2, 3}, {}); });
    CHECK(reports(message, source, "", "uint8 images [count, 2, 2, 3]", "U8[3, 2, 2]"));
}

TEST_CASE("labels are int32 or uint8, one for each image") {
    io_test::temporary_folder folder;
    const auto path = folder.path() / "labels.npy";
    const auto write = [&](const std::string& text) { std::ofstream(path, std::ios::binary) << text; };
    write(
        npy_text("<i4", "(3,)", io_test::little_endian(7u) + io_test::little_endian(0u) + io_test::little_endian(~0u)));
    CHECK(io::read_labels(path, 3) == std::vector<std::int32_t>{7, 0, -1});
    CHECK(reports(failure([&] { (void)io::read_labels(path, 4); }), path.string(), "", "int32 labels [4]", "I32[3]"));
    write(npy_text("|u1", "(3,)", "\x00\xFF\x07"s));
    CHECK(io::read_labels(path, 3) == std::vector<std::int32_t>{0, 255, 7});
    write("\x00\x00\x08\x01\x00\x00\x00\x03\x00\xFF\x07"s);
    CHECK(io::read_labels(path, 3) == std::vector<std::int32_t>{0, 255, 7});
    write(npy_text("|i1", "(3,)", counting(3)));
    CHECK(reports(failure([&] { (void)io::read_labels(path, 3); }), path.string(), "", "int32 labels [3]", "I8[3]"));
    write(npy_text("<i4", "(3, 1)", counting(12)));
    CHECK(
        reports(failure([&] { (void)io::read_labels(path, 3); }), path.string(), "", "int32 labels [3]", "I32[3, 1]"));
    CHECK(failure([&] { (void)io::read_labels(folder.path() / "none.npy", 3); }).find("none.npy") != std::string::npos);
}

TEST_CASE("a file without images is refused, since nothing can be measured on it") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "images";
    const auto write = [&](std::uint8_t count) { // an idx file of `count` images of 2 x 2 bytes
        std::vector<std::byte> bytes = io_test::bytes_of(std::string("\0\0\x08\3\0\0\0\1\0\0\0\2\0\0\0\2", 16));
        bytes[7] = std::byte{count};
        bytes.resize(bytes.size() + 4U * count);
        const std::span<const std::byte> whole = bytes;
        io::write_file(path, std::span(&whole, 1));
    };
    write(3);
    CHECK(io::read_images(path, {2, 2, 1}, {}).size() == 3);
    write(0);
    CHECK(reports(failure([&] {
                      (void)io::read_images(path, {2, 2, 1}, {});
                  }),
                  path.string(), "", "at least one image", "none"));
}

TEST_CASE("an image that is not there, and memory of another size, are refused") {
    const auto images = images_of("(3, 2, 1, 2)", 12, {2, 1, 2});
    std::vector<float> values(4);
    images.read(2, values);
    CHECK(values == std::vector<float>{8, 9, 10, 11});
    CHECK(support::refusal_of([&] { images.read(3, values); }) ==
          "statiq: image_set: images, for this index: expected 4 or more, found 3\n");
    values.resize(3);
    CHECK(support::refusal_of([&] { images.read(0, values); }) ==
          "statiq: image_set: values of a sample: expected 4, found 3\n");
    const std::vector<std::uint8_t> pixels(5);
    CHECK(support::refusal_of([&] { images.convert(pixels, values); }) ==
          "statiq: image_set: pixels of an image: expected 4, found 5\n");
}
