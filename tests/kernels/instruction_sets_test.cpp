// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "convolution_cases.hpp"
#include "scratch_checks.hpp"
#include "vector_checks.hpp"
#include <cstdint>
#include <typeinfo>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

template <class Case>
void check_every_arch(const Case& c, const convolution_shape& shape) {
    auto expected = c.empty_output();
    kernels::reference::convolution(c.args(expected), shape);
    for_each_arch(integer_archs{}, [&](auto arch) {
        INFO(typeid(arch).name());
        auto output = c.empty_output();
        kernels::convolution(c.args(output), shape, arch);
        CHECK(output == expected);
    });
}

} // namespace

TEST_CASE("vector convolutions give the reference's bits: every instruction set") {
    check_vectors<statiq::float_multiplier, std::uint8_t, std::int8_t, std::uint8_t>(11, 150, integer_archs{});
}

TEST_CASE("vector convolutions give the reference's bits: layers of real networks") {
    const convolution_shape shapes[] = {
        {.in = {33, 33, 3}, .out = {17, 17, 32}, .over = {3, 3, 2, 2, 1, 1, 1, 1}},
        {.in = {9, 9, 48}, .out = {9, 9, 48}, .over = {3, 3, 1, 1, 1, 1, 1, 1}},
        {.in = {7, 7, 300}, .out = {7, 7, 97}, .over = {3, 3, 1, 1, 1, 1, 1, 1}},
        {.in = {14, 14, 512}, .out = {14, 14, 80}},
        {.in = {9, 9, 80}, .out = {9, 9, 66}, .groups = 2},
        {.in = {160, 161, 32}, .out = {160, 161, 35}}, // more tiles than input_masks keeps
        {.in = {1, 1, 1027}, .out = {1, 1, 1000}},
        {.in = {14, 14, 512}, .out = {14, 14, 512}, .over = {3, 3, 1, 1, 1, 1, 1, 1}, .groups = 512},
        {.in = {28, 28, 96}, .out = {14, 14, 96}, .over = {3, 3, 2, 2, 1, 1, 0, 0}, .groups = 96},
        {.in = {23, 31, 8}, .out = {23, 31, 8}, .over = {3, 3, 1, 1, 1, 1, 1, 1}, .groups = 8},
        {.in = {11, 50, 12}, .out = {11, 50, 12}, .over = {5, 5, 1, 1, 1, 1, 2, 2}, .groups = 12},
        {.in = {24, 24, 16}, .out = {12, 12, 16}, .over = {3, 3, 2, 2, 1, 1, 0, 0}, .groups = 16},
        {.in = {19, 22, 90}, .out = {10, 11, 90}, .over = {5, 5, 2, 2, 1, 1, 2, 1}, .groups = 90},
        {.in = {20, 21, 40}, .out = {20, 21, 40}, .over = {7, 7, 1, 1, 1, 1, 3, 3}, .groups = 40},
        {.in = {12, 12, 5}, .out = {12, 12, 5}, .over = {9, 9, 1, 1, 1, 1, 4, 4}, .groups = 5}};
    generator random(18);
    for (const convolution_shape& shape : shapes)
        for (const bool zero_points : {false, true}) {
            const integer_case<statiq::float_multiplier, std::uint8_t, std::int8_t, std::uint8_t> c(random, shape,
                                                                                                    zero_points);
            INFO(describe(shape));
            check_every_arch(c, shape);
        }
}

TEST_CASE("vector convolutions give the reference's bits: common depthwise windows, whatever the zero points") {
    generator random(19);
    for (int trial = 0; trial < 120; ++trial) {
        const int side = draw(random, 0, 1) == 0 ? 3 : 5, stride = draw(random, 1, 2);
        const int channels = draw(random, 0, 2) == 0 ? draw(random, 2, 18) : draw(random, 19, 150);
        convolution_shape shape{.in = {draw(random, 1, 9), draw(random, 1, 17), channels}, .groups = channels};
        shape.over = {side, side, stride, stride, 1, 1, draw(random, 0, side / 2), draw(random, 0, side / 2)};
        shape.out = {(shape.in.height + stride - 1) / stride, (shape.in.width + stride - 1) / stride, channels};
        integer_case<statiq::float_multiplier, std::uint8_t, std::int8_t, std::uint8_t> c(random, shape,
                                                                                          trial % 3 != 0);
        if (trial % 6 == 1) c.use_zero_point(-128); // differences up to 255
        if (trial % 6 == 4) c.use_zero_point(127);
        INFO(describe(shape), ", zero points ", !c.zero_points.empty());
        check_every_arch(c, shape);
    }
}

#ifndef STATIQ_NO_SIMD
TEST_CASE("the scratch memory that kernels need is what they use: every instruction set") {
    check_scratch_needs<statiq::float_multiplier>(75, 300, 127, integer_archs{});
}
#endif
