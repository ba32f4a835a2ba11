// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/add.hpp>
#include <statiq/numeric/requantize.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "support.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace reference = statiq::kernels::reference;
using namespace kernel_test;

namespace {

/// How far Scheme::align may be from the real (q - z) * ratio * 2^left_shift.
template <class Scheme>
double align_error(double aligned, double centred, typename Scheme::factor factor) {
    if constexpr (std::is_same_v<Scheme, statiq::float_multiplier>) {
        return std::abs(centred) * 0.5; // the factor itself is rounded to an integer, its product is exact
    } else {
        return apply_error<Scheme>(aligned, factor);
    }
}

template <class Scheme, class In, class Out>
void compare_sums(std::mt19937& random) {
    for (int round = 0; round < 200; ++round) {
        const auto count = static_cast<std::size_t>(uniform(random, 1, 8));
        const auto size = static_cast<std::size_t>(uniform(random, 1, 200));
        std::vector<float> scales(count);
        for (float& scale : scales) scale = random_scale(random, 1.0 / 4096, 1);
        const float output_scale = *std::max_element(scales.begin(), scales.end()) * random_scale(random, 0.25, 8);
        const auto factors = reference::prepare_add<Scheme>(scales, output_scale, 8 * static_cast<int>(sizeof(In)));

        std::vector<support::guarded_vector<In>> values(count);
        std::vector<reference::add_input<In, Scheme>> inputs(count);
        for (std::size_t k = 0; k < count; ++k) {
            values[k] = guarded_values<In>(random, size);
            inputs[k] = {
                .data = values[k].data(), .zero_point = random_zero_point<In>(random), .factor = factors.inputs[k]};
        }
        const int zero = random_zero_point<Out>(random);
        support::guarded_vector<Out> output(size);
        const reference::add_arguments<In, Out, Scheme> sum{.inputs = inputs,
                                                            .size = size,
                                                            .left_shift = factors.left_shift,
                                                            .factor = factors.output,
                                                            .output_zero_point = zero,
                                                            .lowest = uniform(random, lowest<Out>(), zero),
                                                            .highest = uniform(random, zero, highest<Out>()),
                                                            .output = output.data()};
        reference::add(sum);

        const double common = 2.0 * static_cast<double>(*std::max_element(scales.begin(), scales.end()));
        const double unit = common * std::ldexp(1.0, -factors.left_shift);
        for (std::size_t i = 0; i < size; ++i) {
            double aligned = 0;
            double aligned_error = 0;
            for (std::size_t k = 0; k < count; ++k) {
                const double centred = values[k][i] - inputs[k].zero_point;
                const double part = centred * static_cast<double>(scales[k]) / unit;
                aligned += part;
                aligned_error += align_error<Scheme>(part, centred, inputs[k].factor);
            }
            const double multiplier = unit / static_cast<double>(output_scale);
            const double expected = std::clamp<double>(aligned * multiplier + zero, sum.lowest, sum.highest);
            const double largest = (std::abs(aligned) + aligned_error) * multiplier;
            REQUIRE(std::abs(output[i] - expected) <=
                    aligned_error * multiplier + apply_error<Scheme>(largest, factors.output));
        }

        // Every instruction set gives the definition's bits.
        for_each_arch([&](auto arch) {
            support::guarded_vector<Out> vector(size);
            auto same = sum;
            same.output = vector.data();
            statiq::kernels::add(same, arch);
            REQUIRE(vector == output);
        });

        // The order of the inputs does not matter, and the output may be one of them.
        const support::guarded_vector<Out> before = output;
        std::shuffle(inputs.begin(), inputs.end(), random);
        reference::add(sum);
        REQUIRE(output == before);
        if constexpr (std::is_same_v<In, Out>) {
            auto in_place = sum;
            in_place.output = values[0].data();
            reference::add(in_place);
            REQUIRE(values[0] == before);
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("an integer sum is the real sum, rounded", Scheme, statiq::gemmlowp, statiq::single_rounding,
                   statiq::float_multiplier) {
    std::mt19937 random(21);
    compare_sums<Scheme, std::int8_t, std::int8_t>(random);
    compare_sums<Scheme, std::uint8_t, std::uint8_t>(random);
    compare_sums<Scheme, std::int8_t, std::uint8_t>(random);
    compare_sums<Scheme, std::int16_t, std::int16_t>(random);
    compare_sums<Scheme, std::uint16_t, std::int8_t>(random);
}

TEST_CASE_TEMPLATE("the sum of one tensor at the output's scale and zero point is that tensor", Scheme,
                   statiq::gemmlowp, statiq::single_rounding, statiq::float_multiplier) {
    std::mt19937 random(22);
    for (int round = 0; round < 20; ++round) {
        const std::array<float, 1> scale{random_scale(random, 1e-6, 100)};
        const auto factors = reference::prepare_add<Scheme>(scale, scale[0], 8);
        const int zero = random_zero_point<std::int8_t>(random);
        const std::vector<std::int8_t> values = random_values<std::int8_t>(random, 300);
        const reference::add_input<std::int8_t, Scheme> input{
            .data = values.data(), .zero_point = zero, .factor = factors.inputs[0]};
        std::vector<std::int8_t> output(values.size());
        reference::add(reference::add_arguments<std::int8_t, std::int8_t, Scheme>{.inputs = std::span(&input, 1),
                                                                                  .size = values.size(),
                                                                                  .left_shift = factors.left_shift,
                                                                                  .factor = factors.output,
                                                                                  .output_zero_point = zero,
                                                                                  .output = output.data()});
        REQUIRE(output == values);
    }
}

TEST_CASE_TEMPLATE("eight tensors of extreme values do not overflow", In, std::uint8_t, std::int8_t, std::uint16_t,
                   std::int16_t) {
    // Every real summand is +-(highest - lowest), their sum 8 times that: the output's scale is 8 times as large.
    using scheme = statiq::gemmlowp;
    const std::array<float, 8> scales{1, 1, 1, 1, 1, 1, 1, 1};
    const auto factors = reference::prepare_add<scheme>(scales, 8, 8 * static_cast<int>(sizeof(In)));
    const auto total = [&](int q, int zero_point, int output_zero_point) {
        const In value = static_cast<In>(q);
        std::array<reference::add_input<In, scheme>, 8> inputs{};
        for (std::size_t k = 0; k < 8; ++k)
            inputs[k] = {.data = &value, .zero_point = zero_point, .factor = factors.inputs[k]};
        In output = 0;
        reference::add(reference::add_arguments<In, In, scheme>{.inputs = inputs,
                                                                .size = 1,
                                                                .left_shift = factors.left_shift,
                                                                .factor = factors.output,
                                                                .output_zero_point = output_zero_point,
                                                                .output = &output});
        return static_cast<int>(output);
    };
    const int low = lowest<In>();
    const int high = highest<In>();
    CHECK(total(high, low, low) == high);
    CHECK(total(low, high, high) == low);
}

TEST_CASE("a float sum adds in order, then clamps") {
    std::mt19937 random(23);
    const std::size_t size = 37;
    std::vector<std::vector<float>> values;
    std::vector<const float*> inputs;
    for (int k = 0; k < 3; ++k) values.push_back(random_values<float>(random, size));
    for (const auto& value : values) inputs.push_back(value.data());
    std::vector<float> output(size);
    reference::add(reference::float_add_arguments{
        .inputs = inputs, .size = size, .lowest = 0, .highest = 6, .output = output.data()});
    for (std::size_t i = 0; i < size; ++i)
        CHECK(output[i] == std::clamp((values[0][i] + values[1][i]) + values[2][i], 0.0f, 6.0f));
}

namespace {

template <class Scheme>
constexpr bool add_at_compile_time() {
    // 0.5 * (a - 1) + 0.25 * (b + 2), in steps of 0.5, with relu at zero point 3.
    const std::array<std::int8_t, 4> a{1, 5, -9, 127};
    const std::array<std::int8_t, 4> b{-2, 2, -2, 126};
    const std::array<float, 2> scales{0.5f, 0.25f};
    const auto factors = reference::prepare_add<Scheme>(scales, 0.5f, 8);
    const std::array<reference::add_input<std::int8_t, Scheme>, 2> inputs{
        {{.data = a.data(), .zero_point = 1, .factor = factors.inputs[0]},
         {.data = b.data(), .zero_point = -2, .factor = factors.inputs[1]}}};
    std::array<std::int8_t, 4> output{};
    reference::add(reference::add_arguments<std::int8_t, std::int8_t, Scheme>{.inputs = inputs,
                                                                              .size = 4,
                                                                              .left_shift = factors.left_shift,
                                                                              .factor = factors.output,
                                                                              .output_zero_point = 3,
                                                                              .lowest = 3,
                                                                              .output = output.data()});
    return output == std::array<std::int8_t, 4>{3, 9, 3, 127};
}
static_assert(add_at_compile_time<statiq::gemmlowp>());
static_assert(add_at_compile_time<statiq::single_rounding>());
static_assert(add_at_compile_time<statiq::float_multiplier>());

constexpr bool float_add_at_compile_time() {
    const std::array<float, 2> a{1, -3};
    const std::array<float, 2> b{2, 1};
    const std::array<const float*, 2> inputs{a.data(), b.data()};
    std::array<float, 2> output{};
    reference::add(reference::float_add_arguments{.inputs = inputs, .size = 2, .lowest = 0, .output = output.data()});
    return output == std::array<float, 2>{3, 0};
}
static_assert(float_add_at_compile_time());

} // namespace
