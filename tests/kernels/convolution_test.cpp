// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution.hpp>

#include <doctest/doctest.h>

#include "convolution_cases.hpp"
#include "scratch_checks.hpp"
#include "vector_checks.hpp"
#include <array>
#include <cstdint>
#include <vector>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

constexpr kind kinds[] = {kind::any, kind::pointwise, kind::depthwise, kind::dense};

/// The convolution's definition on natural weights, written independently of the library: padded copy of the image,
/// 64-bit sums, requantized by the scheme.
template <class Scheme, class In, class Natural, class Out>
guarded_vector<Out> by_definition(const integer_case<Scheme, In, Natural, Out>& c) {
    const convolution_shape& s = c.shape;
    const int in_group = s.in.channels / s.groups;
    const int out_group = s.out.channels / s.groups;
    const bool depthwise = s.groups > 1 && s.groups == s.in.channels;
    guarded_vector<Out> output;
    for (int y = 0; y < s.out.height; ++y)
        for (int x = 0; x < s.out.width; ++x)
            for (int o = 0; o < s.out.channels; ++o) {
                std::int64_t acc = c.bias[static_cast<std::size_t>(o)];
                for (int ky = 0; ky < s.over.kernel_height; ++ky)
                    for (int kx = 0; kx < s.over.kernel_width; ++kx)
                        for (int i = 0; i < in_group; ++i) {
                            const int row = y * s.over.stride_height + ky * s.over.dilation_height - s.over.pad_top;
                            const int column = x * s.over.stride_width + kx * s.over.dilation_width - s.over.pad_left;
                            const int tap = ky * s.over.kernel_width + kx;
                            const int at = depthwise
                                               ? tap * s.out.channels + o
                                               : (o * s.over.kernel_height * s.over.kernel_width + tap) * in_group + i;
                            if (row < 0 || row >= s.in.height || column < 0 || column >= s.in.width) continue;
                            const int from = (row * s.in.width + column) * s.in.channels + o / out_group * in_group + i;
                            acc += std::int64_t{c.input[static_cast<std::size_t>(from)] - c.input_zero_point} *
                                   (c.natural[static_cast<std::size_t>(at)] -
                                    c.natural_zero_points[static_cast<std::size_t>(o)]);
                        }
                REQUIRE(acc == static_cast<std::int32_t>(acc));
                std::int64_t y_out = std::int64_t{Scheme::apply(static_cast<std::int32_t>(acc),
                                                                c.factors[static_cast<std::size_t>(o)])} +
                                     c.output_zero_point;
                if (y_out < c.lowest) y_out = c.lowest;
                if (y_out > c.highest) y_out = c.highest;
                output.push_back(static_cast<Out>(y_out));
            }
    return output;
}

template <class Scheme, class In, class Natural, class Out>
void check_reference(unsigned seed, int trials, int magnitude) {
    generator random(seed);
    for (int trial = 0; trial < trials; ++trial)
        for (const kind k : kinds) {
            const convolution_shape shape = random_shape(random, k, 40);
            const integer_case<Scheme, In, Natural, Out> c(random, shape, trial % 2 == 0, magnitude);
            INFO(describe(shape));
            auto output = c.empty_output();
            kernels::reference::convolution(c.args(output), shape);
            CHECK(output == by_definition(c));
        }
}

// Compiling every instruction set's kernels takes a while: all of them run the default formats
// (instruction_sets_test.cpp), the best one the rest.
constexpr statiq::simd::arch_list<statiq::simd::native_arch> native;

} // namespace

TEST_CASE("the reference convolution on packed weights is the definition on natural ones") {
    check_reference<statiq::float_multiplier, std::uint8_t, std::int8_t, std::uint8_t>(1, 20, 127);
    check_reference<statiq::gemmlowp, std::uint8_t, std::uint8_t, std::uint8_t>(2, 20, 255);
    check_reference<statiq::single_rounding, std::int8_t, std::int8_t, std::int8_t>(3, 20, 127);
    check_reference<statiq::gemmlowp, std::uint8_t, std::int8_t, std::int16_t>(4, 10, 7);
    check_reference<statiq::float_multiplier, std::int16_t, std::int8_t, std::int16_t>(5, 10, 31);
    check_reference<statiq::gemmlowp, std::int16_t, std::int16_t, std::uint8_t>(6, 10, 63);
    check_reference<statiq::gemmlowp, std::uint8_t, std::int16_t, std::uint8_t>(7, 10, 4095);
}

TEST_CASE("vector convolutions give the reference's bits: unsigned weights") {
    check_vectors<statiq::float_multiplier, std::uint8_t, std::uint8_t, std::uint8_t>(12, 30, native);
}

TEST_CASE("vector convolutions give the reference's bits: fixed point schemes") {
    check_vectors<statiq::gemmlowp, std::uint8_t, std::int8_t, std::uint8_t>(13, 50, native);
    check_vectors<statiq::single_rounding, std::uint8_t, std::int8_t, std::uint8_t>(14, 50, native);
}

TEST_CASE("vector convolutions give the reference's bits: signed activations") {
    check_vectors<statiq::float_multiplier, std::int8_t, std::int8_t, std::int8_t>(15, 50, native);
    check_vectors<statiq::gemmlowp, std::int8_t, std::int8_t, std::int8_t>(16, 20, native);
    check_vectors<statiq::float_multiplier, std::uint8_t, std::int8_t, std::int8_t>(17, 20, native);
}

namespace {

/// A small network layer as a constant expression, and the same call at run time.
struct constant_case {
    static constexpr convolution_shape shape{.in = {3, 4, 5}, .out = {3, 4, 6}, .over = {3, 3, 1, 1, 1, 1, 1, 1}};
    std::array<std::uint8_t, shape.in.size()> input{};
    std::array<std::int8_t, kernels::packed_weight_count<std::uint8_t, std::int8_t>(shape)> packed{};
    std::array<std::int32_t, 6> bias{-300, 200, -100, 0, 100, 4000};
    std::array<std::int32_t, 6> corrected{};
    std::array<std::int32_t, 6> zero_points{0, 1, -1, 127, -128, 3};
    std::array<float, 6> factors{0.01F, 0.02F, 0.003F, 0.005F, 0.001F, 0.01F};

    constexpr constant_case() {
        std::array<std::int8_t, shape.weight_count()> natural{};
        for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::uint8_t>(i * 89 % 256);
        for (std::size_t i = 0; i < natural.size(); ++i)
            natural[i] = static_cast<std::int8_t>(static_cast<int>(i * 57 % 256) - 128);
        kernels::pack_weights<std::uint8_t>(natural.data(), packed.data(), shape);
        kernels::correct_bias<std::uint8_t, std::int8_t>(bias.data(), packed.data(), zero_points.data(), 100, shape,
                                                         corrected.data());
    }
    [[nodiscard]] constexpr std::array<std::uint8_t, shape.out.size()> run() const {
        std::array<std::uint8_t, shape.out.size()> output{};
        const kernels::convolution_arguments<std::uint8_t, std::int8_t, std::uint8_t, statiq::float_multiplier> a{
            .input = input.data(),
            .weights = packed.data(),
            .bias = bias.data(),
            .corrected_bias = corrected.data(),
            .weight_zero_points = zero_points.data(),
            .factors = factors.data(),
            .input_zero_point = 100,
            .output_zero_point = 120,
            .lowest = 2,
            .highest = 250,
            .output = output.data()};
        kernels::convolution(a, shape);
        return output;
    }
};

} // namespace

TEST_CASE("a convolution evaluated by the compiler is the one that runs") {
    constexpr auto result = [] { return constant_case{}.run(); };
    constexpr auto at_compile_time = result();
    CHECK(at_compile_time == result());
}

#ifndef STATIQ_NO_SIMD
TEST_CASE("the scratch memory that kernels need is what they use: wide factors") {
    check_scratch_needs<statiq::gemmlowp>(76, 300, 127, native);
}
#endif
