// SPDX-License-Identifier: Apache-2.0

// Compiled with -Ofast: compilers may assume that no float is a NaN or infinite, and subnormal numbers are read as
// zero. What files hold is refused all the same. Numbers are made by their bits, since no float could hold them here.

#include <statiq/graph/network.hpp>
#include <statiq/io/integers.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../io/support.hpp"
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#ifndef __FAST_MATH__
#error "this test is about -ffast-math"
#endif

namespace sq = statiq;
namespace io = statiq::io;

namespace {

constexpr std::uint32_t one = 0x3F80'0000;
constexpr std::uint32_t infinity = 0x7F80'0000;
constexpr std::uint32_t quiet_nan = 0x7FC0'0000;
constexpr std::uint32_t minus = 0x8000'0000;

struct net final : sq::network<decltype(sq::input<1, 1, 1> | sq::named<"a">(sq::pointwise<1>) | sq::batch_norm)> {};
using int8 = sq::quantized<8, sq::asymmetric_signed>;
using numbers = sq::numbers_chosen<sq::deployed<net>, sq::quantized<8>, int8>;

io::safetensors file_of(const io::safetensors_builder& tensors) {
    const io_test::temporary_folder folder;
    io::write_safetensors(folder.path() / "x", tensors);
    return io::parse_safetensors(io::read_file(folder.path() / "x"), "x");
}

/// A tensor of float32, float64 or halves, by its bits.
template <class Bits>
void add(io::safetensors_builder& to, const std::string& name, std::vector<std::int64_t> shape, Bits bits) {
    const io::dtype type = sizeof bits == 8 ? io::dtype::f64 : sizeof bits == 4 ? io::dtype::f32 : io::dtype::bf16;
    to.add(name, type, std::move(shape), std::as_bytes(std::span(&bits, 1)));
}

template <class Bits>
std::string refusal_of(std::string_view changed, Bits bits) {
    io::safetensors_builder tensors;
    const auto put = [&](const std::string& name, std::vector<std::int64_t> shape) {
        if (name == changed)
            add(tensors, name, std::move(shape), bits);
        else
            add(tensors, name, std::move(shape), one);
    };
    put("a.weight", {1, 1, 1, 1});
    for (const char* name : {"a.bn.gamma", "a.bn.beta", "a.bn.mean", "a.bn.var"}) put(name, {1});
    const io::safetensors file = file_of(tensors);
    return io_test::failure([&] { (void)io::read_parameters<net>(file); });
}

std::string scale_refusal(std::string_view changed, std::uint32_t bits) {
    io::safetensors_builder tensors;
    for (const std::string name : {"input.scale", "a.weight.scale", "a.scale"})
        add(tensors, name, {1}, name == changed ? bits : one);
    for (const char* name : {"input.zero_point", "a.zero_point"}) tensors.add(name, {1}, std::vector<std::int32_t>{0});
    tensors.add("a.weight", {1, 1, 1, 1}, std::vector<std::int8_t>{1});
    tensors.add("a.bias", {1}, std::vector<std::int32_t>{0});
    const io::safetensors file = file_of(tensors);
    return io_test::failure([&] { (void)io::read_integers<numbers>(file); });
}

} // namespace

TEST_CASE("under -Ofast, numbers that are none are refused in every tensor of floats") {
    for (const std::string name : {"a.weight", "a.bn.gamma", "a.bn.beta", "a.bn.mean", "a.bn.var"}) {
        CAPTURE(name);
        CHECK(refusal_of(name, one) == "");
        CHECK(io_test::reports(refusal_of(name, quiet_nan), "x", name, "finite numbers", "a NaN"));
        CHECK(io_test::reports(refusal_of(name, quiet_nan | minus), "x", name, "finite numbers", "a NaN"));
        CHECK(io_test::reports(refusal_of(name, infinity), "x", name, "finite numbers", "an infinity"));
        CHECK(io_test::reports(refusal_of(name, infinity | minus), "x", name, "finite numbers", "minus an infinity"));
        CHECK(io_test::reports(refusal_of(name, std::uint16_t{0x7FC0}), "x", name, "finite numbers", "a NaN"));
        CHECK(io_test::reports(refusal_of(name, std::uint64_t{0x7FF8'0000'0000'0000}), "x", name, "finite numbers",
                               "a NaN"));
        CHECK(io_test::reports(refusal_of(name, std::uint64_t{0x7E37'E43C'8800'759C}), "x", name, "finite numbers",
                               "1e+300, an infinity in float,"));
    }
}

TEST_CASE("under -Ofast, the signs of variances and scales are seen, of subnormal ones too") {
    CHECK(io_test::reports(refusal_of("a.bn.var", one | minus), "x", "a.bn.var", "of at least 0", "-1 at [0]"));
    CHECK(io_test::reports(refusal_of("a.bn.var", 1U | minus), "x", "a.bn.var", "of at least 0", "at [0]"));
    CHECK(refusal_of("a.bn.var", 0U | minus) == "");
    for (const std::string name : {"input.scale", "a.weight.scale", "a.scale"}) {
        CAPTURE(name);
        CHECK(scale_refusal(name, one) == "");
        for (const std::uint32_t bits :
             {quiet_nan, infinity, infinity | minus, one | minus, 1U | minus, 0U, 0U | minus})
            CHECK(io_test::reports(scale_refusal(name, bits), "x", name, "positive finite scales", " at [0]"));
    }
}
