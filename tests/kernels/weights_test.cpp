// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <doctest/doctest.h>

#include "convolution_cases.hpp"
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

/// Natural weights found again where the layout says, every one at a place of its own, and zeros everywhere else.
template <class In, class Natural>
void check_packing(unsigned seed) {
    using stored = kernels::packed_weight<In, Natural>;
    generator random(seed);
    for (int trial = 0; trial < 60; ++trial)
        for (const kind k : {kind::any, kind::pointwise, kind::depthwise, kind::dense}) {
            const convolution_shape shape = random_shape(random, k);
            INFO(describe(shape));
            std::vector<Natural> natural(shape.weight_count());
            for (Natural& w : natural) w = static_cast<Natural>(draw(random, 1, 100));
            std::vector<stored> packed(kernels::packed_weight_count<In, stored>(shape), stored{55});
            kernels::pack_weights<In>(natural.data(), packed.data(), shape);

            std::vector<bool> used(packed.size());
            bool distinct = true, equal = true, padding_is_zero = true;
            kernels::with_packed_layout<In, stored>(shape, [&](const auto& layout) {
                CHECK(layout.size() == packed.size());
                std::size_t at = 0;
                const bool depthwise = shape.is_depthwise();
                for (int o = 0; o < shape.out.channels; ++o)
                    for (int tap = 0; tap < shape.over.taps(); ++tap)
                        for (int c = 0; c < shape.in.channels / shape.groups; ++c, ++at) {
                            const std::size_t to = layout.index(o, tap, c);
                            const std::size_t from =
                                depthwise ? static_cast<std::size_t>(tap * shape.out.channels + o) : at;
                            REQUIRE(to < packed.size());
                            distinct = distinct && !used[to];
                            used[to] = true;
                            equal = equal && packed[to] == static_cast<stored>(natural[from] -
                                                                               kernels::packed_offset<In, Natural>);
                        }
            });
            for (std::size_t i = 0; i < packed.size(); ++i)
                padding_is_zero = padding_is_zero && (used[i] || packed[i] == 0);
            CHECK(distinct);
            CHECK(equal);
            CHECK(padding_is_zero);
        }
}

} // namespace

TEST_CASE("packing moves every weight to a place of its own") {
    check_packing<std::uint8_t, std::int8_t>(1);
    check_packing<std::int8_t, std::uint8_t>(2);
    check_packing<std::uint8_t, std::int16_t>(3);
    check_packing<std::int16_t, std::int8_t>(4);
    check_packing<float, float>(5);
}

TEST_CASE("bytes are packed signed, wider weights as they are") {
    static_assert(std::is_same_v<kernels::packed_weight<std::uint8_t, std::uint8_t>, std::int8_t>);
    static_assert(std::is_same_v<kernels::packed_weight<std::uint8_t, std::int8_t>, std::int8_t>);
    static_assert(std::is_same_v<kernels::packed_weight<std::uint8_t, std::int16_t>, std::int16_t>);
    static_assert(std::is_same_v<kernels::packed_weight<std::int16_t, std::uint8_t>, std::uint8_t>);
    static_assert(std::is_same_v<kernels::packed_weight<float, float>, float>);
    static_assert(kernels::packed_offset<std::uint8_t, std::uint8_t> == 128);
    static_assert(kernels::packed_offset<std::uint8_t, std::int8_t> == 0);
    static_assert(kernels::packed_offset<std::int16_t, std::uint8_t> == 0);

    // 0 and 255 are the ends of int8.
    constexpr convolution_shape shape{.in = {1, 1, 1}, .out = {1, 1, 2}};
    const std::array<std::uint8_t, 2> natural{0, 255};
    std::array<std::int8_t, 64> packed{};
    kernels::pack_weights<std::uint8_t>(natural.data(), packed.data(), shape);
    constexpr kernels::blocked_layout<4> layout(shape);
    CHECK(packed[layout.index(0, 0, 0)] == -128);
    CHECK(packed[layout.index(1, 0, 0)] == 127);
}

TEST_CASE("the blocked layout is [group][panel][run][step][block][16][4]") {
    constexpr convolution_shape shape{.in = {1, 1, 10}, .out = {1, 1, 34}, .over = {2, 3}, .groups = 2};
    constexpr kernels::blocked_layout<4> layout(shape);
    static_assert(layout.blocks() == 2 && layout.steps() == 2 && layout.block_size() == 6 * 2 * 64);
    static_assert(layout.size() == 2 * 2 * 6 * 2 * 64);
    static_assert(layout.index(0, 0, 0) == 0);
    static_assert(layout.index(0, 0, 3) == 3);
    static_assert(layout.index(1, 0, 0) == 4);
    static_assert(layout.index(0, 0, 4) == 2 * 64 + 3); // a last step ends where the run does
    static_assert(layout.index(0, 1, 0) == 4 * 64);
    static_assert(layout.index(16, 0, 0) == 64);                                       // the panel's second block
    static_assert(layout.index(17 + 16, 5, 4) == 2 * 6 * 128 + (2 * 11 + 1) * 64 + 3); // the second group's
    CHECK(kernels::blocked_layout<1>(shape).size() == 2 * 2 * 6 * 5 * 16);
}

TEST_CASE("panels are at most four blocks, and as equal as they can be") {
    const auto widths = [](int outputs) {
        const kernels::blocked_layout<4> layout({.in = {1, 1, 8}, .out = {1, 1, outputs}});
        std::vector<int> blocks;
        for (int first = 0; first < layout.blocks();) {
            const auto panel = layout.panel_of(first);
            for (int b = first; b < first + panel.blocks; ++b) {
                CHECK(layout.panel_of(b).first == first);
                CHECK(layout.panel_of(b).blocks == panel.blocks);
            }
            blocks.push_back(panel.blocks);
            first += panel.blocks;
        }
        return blocks;
    };
    CHECK(widths(16) == std::vector{1});
    CHECK(widths(64) == std::vector{4});
    CHECK(widths(80) == std::vector{3, 2});
    CHECK(widths(96) == std::vector{3, 3});
    CHECK(widths(160) == std::vector{4, 3, 3});
    CHECK(widths(1000) == std::vector{4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3});
}

TEST_CASE("where a tap has fewer channels than a step, rows are runs, and what is left of them is gathered") {
    constexpr convolution_shape image{.in = {8, 8, 3}, .out = {6, 6, 16}, .over = {3, 3}};
    constexpr kernels::blocked_layout<4> layout(image);
    static_assert(layout.gathers && layout.runs == 3 && layout.run == 9 && layout.steps() == 2);
    static_assert(layout.rest() == 1 && layout.gathered_steps() == 1 && layout.block_size() == 7 * 64);
    static_assert(layout.index(0, 1, 2) == 64 + 1);     // value 5 of the first row
    static_assert(layout.index(0, 3, 0) == 2 * 64);     // the second row
    static_assert(layout.index(0, 2, 2) == 6 * 64 + 1); // value 8 of the first row
    static_assert(layout.index(0, 8, 2) == 6 * 64 + 3); // and of the last
    constexpr kernels::blocked_layout<4> grey({.in = {8, 8, 1}, .out = {6, 6, 16}, .over = {3, 3}});
    static_assert(grey.gathers && grey.steps() == 0 && grey.rest() == 3 && grey.gathered_steps() == 3);
    constexpr convolution_shape dilated{
        .in = {8, 8, 3}, .out = {4, 4, 16}, .over = {.kernel_height = 3, .kernel_width = 3, .dilation_width = 2}};
    CHECK(kernels::blocked_layout<4>(dilated).runs == 9);
    CHECK_FALSE(kernels::blocked_layout<1>(image).gathers);
}

TEST_CASE("a convolution on one channel is not depthwise") {
    CHECK_FALSE(convolution_shape{.in = {8, 8, 1}, .out = {8, 8, 4}, .over = {3, 3}}.is_depthwise());
    CHECK(convolution_shape{.in = {8, 8, 2}, .out = {8, 8, 4}, .over = {3, 3}, .groups = 2}.is_depthwise());
    CHECK_FALSE(convolution_shape{.in = {8, 8, 4}, .out = {8, 8, 4}, .over = {3, 3}, .groups = 2}.is_depthwise());
}

TEST_CASE("the corrected bias makes the sum over padded taps the convolution") {
    generator random(6);
    for (int trial = 0; trial < 200; ++trial) {
        // One output pixel whose window is partly outside: sum u * w over all taps, the zero point outside.
        const int channels = draw(random, 1, 9);
        const int taps = draw(random, 1, 5);
        const int inside = draw(random, 0, taps);
        const convolution_shape shape{.in = {1, taps, channels}, .out = {1, 1, 1}, .over = {1, taps}};
        const auto natural = random_integers<std::int8_t>(random, shape.weight_count());
        const auto x = random_integers<std::int8_t>(random, shape.in.size());
        const std::int32_t zero_point = draw(random, -128, 127);
        const std::int32_t weight_zero_point = draw(random, -128, 127);
        const std::int32_t bias =
            draw(random, 0, 1) ? std::numeric_limits<std::int32_t>::max() : draw(random, -999, 999);
        std::vector<std::int8_t> packed(kernels::packed_weight_count<std::int8_t, std::int8_t>(shape));
        kernels::pack_weights<std::int8_t>(natural.data(), packed.data(), shape);
        std::int32_t corrected = 0;
        kernels::correct_bias<std::int8_t, std::int8_t>(&bias, packed.data(), &weight_zero_point, zero_point, shape,
                                                        &corrected);

        std::int64_t definition = bias, vector = corrected, inputs = 0;
        for (int tap = 0; tap < taps; ++tap)
            for (int c = 0; c < channels; ++c) {
                const auto i = static_cast<std::size_t>(tap * channels + c);
                const bool is_inside = tap < inside;
                if (is_inside) definition += (x[i] - zero_point) * (natural[i] - weight_zero_point);
                const int u = (is_inside ? x[i] : zero_point) + 128;
                vector += u * natural[i];
                inputs += u;
            }
        vector -= weight_zero_point * inputs;
        CHECK(static_cast<std::uint32_t>(vector) == static_cast<std::uint32_t>(definition));
    }
}

TEST_CASE("the walk over weights: tap by tap, in natural order") {
    using indices = std::vector<std::size_t>;
    const auto walked = [](auto&& walk) {
        indices seen;
        walk([&](const statiq::weight_place& w) { seen.push_back(w.index); });
        return seen;
    };
    // Two groups of two inputs and an output, two taps: index = (output * 2 + tap) * 2 + input.
    const convolution_shape grouped{
        .in = {1, 2, 4}, .out = {1, 1, 2}, .over = {.kernel_height = 1, .kernel_width = 2}, .groups = 2};
    CHECK(walked([&](auto visit) { statiq::for_each_weight(grouped, visit); }) == indices{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(walked([&](auto visit) { statiq::for_each_weight_of_output(grouped, 1, visit); }) == indices{4, 5, 6, 7});
    CHECK(walked([&](auto visit) { statiq::for_each_weight_of_input(grouped, 3, visit); }) ==
          indices{5, 7}); // output 1, input 1
    // Depthwise, a multiplier of two: index = tap * 4 + output.
    const convolution_shape depthwise{
        .in = {1, 2, 2}, .out = {1, 1, 4}, .over = {.kernel_height = 1, .kernel_width = 2}, .groups = 2};
    CHECK(walked([&](auto visit) { statiq::for_each_weight(depthwise, visit); }) == indices{0, 4, 1, 5, 2, 6, 3, 7});
    CHECK(walked([&](auto visit) { statiq::for_each_weight_of_output(depthwise, 3, visit); }) == indices{3, 7});
    CHECK(walked([&](auto visit) { statiq::for_each_weight_of_input(depthwise, 1, visit); }) == indices{2, 6, 3, 7});
    statiq::for_each_weight(depthwise, [&](const statiq::weight_place& w) {
        CHECK(w.index == depthwise.weight_index(w.output, w.tap, w.input));
        CHECK(w.channel() == static_cast<std::size_t>(w.output));
    });
}
