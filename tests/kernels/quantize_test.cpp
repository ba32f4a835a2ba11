// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convert.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/number.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "support.hpp"
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <typeinfo>
#include <vector>

namespace kernels = statiq::kernels;
namespace reference = statiq::kernels::reference;
using namespace kernel_test;

namespace {

using floats = std::vector<float>;

/// Every instruction set gives the definition's bits, at every length of the tail.
template <class Number>
void compare_quantizers(const floats& values, const statiq::affine& numbers) {
    using storage = typename Number::storage;
    const auto run = [&](std::size_t size, auto quantize) {
        const support::guarded_vector<float> input(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(size));
        support::guarded_vector<storage> output(size);
        quantize(reference::quantize_arguments<storage>{.input = input.data(),
                                                        .size = size,
                                                        .numbers = numbers,
                                                        .format = Number::format,
                                                        .output = output.data()});
        return output;
    };
    INFO("scale ", numbers.scale, ", zero point ", numbers.zero_point);
    const auto expected = run(values.size(), [](const auto& of) { reference::quantize(of); });
    for_each_arch([&](auto arch) {
        INFO(typeid(arch).name());
        REQUIRE(run(values.size(), [&](const auto& of) { kernels::quantize(of, arch); }) == expected);
        for (std::size_t size = 0; size < std::min<std::size_t>(values.size(), 131); ++size) {
            const auto begin = run(size, [&](const auto& of) { kernels::quantize(of, arch); });
            REQUIRE(std::equal(begin.begin(), begin.end(), expected.begin()));
        }
    });
}

template <class Number>
void for_each_map(std::mt19937& random, auto&& visit) {
    constexpr statiq::number_format format = Number::format;
    for (const float scale : {1.0F, 0.1F, 1.0F / 255, 0x1p-126F, 0x1p100F, random_scale(random, 1e-6, 1e6)})
        for (const int zero_point : {format.lowest, format.highest, uniform(random, format.lowest, format.highest)}) {
            visit(statiq::affine{.scale = scale, .zero_point = format.has_zero_point ? zero_point : 0});
            if (!format.has_zero_point) break;
        }
}

/// The floats around every tie between two integers that any zero point leaves inside a format of bytes, and around
/// the format's ends.
floats around_ties(float scale) {
    floats values;
    for (int half = -600; half <= 600; ++half) {
        float x = static_cast<float>(half) * 0.5F * scale;
        for (int step = 0; step < 3; ++step) x = std::nextafter(x, -std::numeric_limits<float>::infinity());
        for (int step = 0; step < 7; ++step) {
            values.push_back(x);
            x = std::nextafter(x, std::numeric_limits<float>::infinity());
        }
    }
    return values;
}

} // namespace

namespace {
using unsigned_byte = statiq::quantized<8, statiq::asymmetric>;
using signed_byte = statiq::quantized<8, statiq::asymmetric_signed>;
using symmetric_byte = statiq::quantized<8, statiq::symmetric>;
using unsigned_nibble = statiq::quantized<4, statiq::asymmetric>;
using three_bits = statiq::quantized<3, statiq::symmetric>;
using word = statiq::quantized<16, statiq::asymmetric>;
} // namespace

TEST_CASE_TEMPLATE("quantizing in vectors gives the definition's bits", Number, unsigned_byte, signed_byte,
                   symmetric_byte, unsigned_nibble, three_bits, word) {
    std::mt19937 random(51);
    for_each_map<Number>(random, [&](const statiq::affine& numbers) {
        compare_quantizers<Number>(around_ties(numbers.scale), numbers);

        // Any bits at all: every exponent, infinities, numbers below the least normal one, and what is no number.
        floats any(20000);
        for (float& x : any) x = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        constexpr float infinity = std::numeric_limits<float>::infinity();
        constexpr float nan = std::numeric_limits<float>::quiet_NaN();
        const float special[] = {
            nan, -nan, infinity, -infinity, 0.0F, -0.0F, std::numeric_limits<float>::denorm_min(), 1e38F, -1e38F};
        for (std::size_t i = 0; i < 400; ++i) any[i] = special[random() % std::size(special)];
        compare_quantizers<Number>(any, numbers);
    });
}

TEST_CASE_TEMPLATE("dequantizing in vectors gives the definition's bits: every byte", In, std::uint8_t, std::int8_t) {
    std::mt19937 random(52);
    std::vector<In> every;
    for (int round = 0; round < 2; ++round)
        for (int q = lowest<In>(); q <= highest<In>(); ++q) every.push_back(static_cast<In>(q));
    const auto run = [&](std::size_t size, const statiq::affine& numbers, auto dequantize) {
        const support::guarded_vector<In> input(every.begin(), every.begin() + static_cast<std::ptrdiff_t>(size));
        support::guarded_vector<float> output(size);
        dequantize(reference::dequantize_arguments<In>{
            .input = input.data(), .size = size, .numbers = numbers, .output = output.data()});
        std::vector<std::uint32_t> bits;
        for (const float x : output) bits.push_back(std::bit_cast<std::uint32_t>(x));
        return bits;
    };
    for (int zero_point = lowest<In>(); zero_point <= highest<In>(); ++zero_point) {
        const float scale = zero_point % 8 == 0 ? 0x1.8p-149F : random_scale(random, 1e-38, 1e36);
        const statiq::affine numbers{.scale = scale, .zero_point = zero_point};
        const auto expected = run(every.size(), numbers, [](const auto& of) { reference::dequantize(of); });
        for_each_arch([&](auto arch) {
            INFO(typeid(arch).name(), ", scale ", scale, ", zero point ", zero_point);
            const auto dequantize = [&](const auto& of) { kernels::dequantize(of, arch); };
            REQUIRE(run(every.size(), numbers, dequantize) == expected);
            const auto size = static_cast<std::size_t>(uniform(random, 0, 200));
            const auto begin = run(size, numbers, dequantize);
            REQUIRE(std::equal(begin.begin(), begin.end(), expected.begin()));
        });
    }
}

namespace {

constexpr bool there_and_back_at_compile_time() {
    const std::array<float, 3> input{-1.0F, 0.75F, 99.0F};
    std::array<std::uint8_t, 3> stored{};
    std::array<float, 3> back{};
    const statiq::affine numbers{.scale = 0.5F, .zero_point = 10};
    kernels::quantize(
        reference::quantize_arguments<std::uint8_t>{.input = input.data(),
                                                    .size = 3,
                                                    .numbers = numbers,
                                                    .format = statiq::quantized<6, statiq::asymmetric>::format,
                                                    .output = stored.data()});
    kernels::dequantize(reference::dequantize_arguments<std::uint8_t>{
        .input = stored.data(), .size = 3, .numbers = numbers, .output = back.data()});
    return stored == std::array<std::uint8_t, 3>{8, 12, 63} && back == std::array<float, 3>{-1, 1, 26.5F};
}
static_assert(there_and_back_at_compile_time());

} // namespace
