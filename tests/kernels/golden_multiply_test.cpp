// SPDX-License-Identifier: Apache-2.0
// Products, with the scheme `gemmlowp`, against TensorFlow Lite Micro's reference kernels, bit for bit.
#include <statiq/kernels/reference/multiply.hpp>

#include <doctest/doctest.h>

#include "golden.hpp"
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace kernel_test;
namespace reference = statiq::kernels::reference;

namespace {

/// A tensor repeated to larger extents as NumPy does.
template <class T>
std::vector<T> repeated(std::span<const T> values, const shape& from, const shape& to) {
    std::vector<T> all(size_of(to));
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::size_t rest = i, at = 0, step = 1;
        for (std::size_t axis = 4; axis-- > 0;) {
            const auto place = rest % static_cast<std::size_t>(to[axis]);
            rest /= static_cast<std::size_t>(to[axis]);
            if (from[axis] > 1) at += place * step;
            step *= static_cast<std::size_t>(from[axis]);
        }
        all[i] = values[at];
    }
    return all;
}

template <class T>
void compare(const std::string& name) {
    const auto data = golden(name);
    tally result;
    for (const json& one : data.cases) {
        const auto out = image_shape(one.at("output_shape"));
        const auto first = repeated(data.values<T>(one, "input1"), image_shape(one.at("input1_shape")), out);
        const auto second = repeated(data.values<T>(one, "input2"), image_shape(one.at("input2_shape")), out);
        const auto scale = [&](const char* of) { return static_cast<double>(scale_of(one, of)); };
        const auto factor =
            statiq::gemmlowp::prepare(scale("input1_scale") * scale("input2_scale") / scale("output_scale"));
        CHECK(factor == fixed_point_of(one, ""));
        result.compare(data.values<T>(one, "output"), [&](auto, T* output) {
            reference::multiply(
                reference::multiply_arguments<T, T, statiq::gemmlowp>{.first = first.data(),
                                                                      .second = second.data(),
                                                                      .of_first = {1, 1},
                                                                      .of_second = {1, 1},
                                                                      .end = first.size(),
                                                                      .first_zero_point = one.at("input1_zero_point"),
                                                                      .second_zero_point = one.at("input2_zero_point"),
                                                                      .factor = factor,
                                                                      .output_zero_point = one.at("output_zero_point"),
                                                                      .lowest = one.at("activation_min"),
                                                                      .highest = one.at("activation_max"),
                                                                      .output = output});
        });
    }
    result.check(data);
}

} // namespace

TEST_CASE("products of bytes have TensorFlow Lite's bits") {
    compare<std::int8_t>("ops2/mul_int8");
    compare<std::uint8_t>("ops2/mul_uint8");
}

TEST_CASE("products of 16-bit integers have TensorFlow Lite's bits") { compare<std::int16_t>("ops2/mul_int16"); }

TEST_CASE("a factor that is repeated stands where NumPy repeats it") {
    std::mt19937 random(181);
    for (int trial = 0; trial < 200; ++trial) {
        const auto draw = [&] { return static_cast<int>(random() % 5) + 1; };
        const statiq::extents out{draw(), draw(), draw()};
        const bool pixels = trial % 2 == 0, channels = trial % 3 == 0;
        const statiq::extents factor{pixels ? 1 : out.height, pixels ? 1 : out.width, channels ? 1 : out.channels};
        std::vector<int> values(factor.size());
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i);
        const auto expected = repeated<int>(values, {1, factor.height, factor.width, factor.channels},
                                            {1, out.height, out.width, out.channels});
        const auto of = reference::repeated_factor::of(factor, out);
        const auto channel_count = static_cast<std::size_t>(out.channels);
        for (std::size_t i = 0; i < out.size(); ++i)
            CHECK(values[i / channel_count * of.pixel_stride + i % channel_count * of.channel_stride] == expected[i]);
    }
}
