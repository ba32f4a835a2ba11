// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/convolution/division.hpp>
#include <statiq/kernels/reference/pool.hpp>

#include <doctest/doctest.h>

#include "convolution_cases.hpp"
#include "support.hpp"
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace convolution_cases;
namespace kernels = statiq::kernels;

namespace {

/// Any division of this shape into parts that are not empty.
template <class Weight>
kernels::division random_division(generator& random, const convolution_shape& shape) {
    return {draw(random, 1, kernels::with_most_rows(shape).out.height),
            draw(random, 1, kernels::channel_panels<Weight>(shape).count())};
}

/// Runs `convolve(arguments, shape)` for each part, the last one first.
template <class Arguments, class Convolve>
void run_parts(const Arguments& whole, const convolution_shape& shape, const kernels::division& by, Convolve convolve) {
    for (int i = by.count() - 1; i >= 0; --i) {
        const auto part = kernels::part_of(whole, shape, by, i);
        convolve(part.arguments, part.shape);
    }
}

template <class Scheme, class In, class Natural, class Out, class Packed = void>
void check_parts(unsigned seed, int trials, int magnitude) {
    generator random(seed);
    for (int trial = 0; trial < trials; ++trial)
        for (const kind k : {kind::any, kind::pointwise, kind::depthwise, kind::dense}) {
            const convolution_shape shape = random_shape(random, k, 150);
            using operands = integer_case<Scheme, In, Natural, Out, Packed>;
            const auto by = random_division<typename operands::weight>(random, shape);
            const operands c(random, shape, trial % 2 == 0, magnitude, static_cast<std::size_t>(by.count()));
            INFO(describe(shape), ", in ", by.rows, " x ", by.panels, " parts");
            auto expected = c.empty_output();
            kernels::reference::convolution(c.args(expected), shape);
            auto in_reference_parts = c.empty_output();
            run_parts(c.args(in_reference_parts), shape, by,
                      [](const auto& a, const convolution_shape& s) { kernels::reference::convolution(a, s); });
            CHECK(in_reference_parts == expected);
            auto in_parts = c.empty_output();
            run_parts(c.args(in_parts), shape, by,
                      [](const auto& a, const convolution_shape& s) { kernels::convolution(a, s); });
            CHECK(in_parts == expected);
        }
}

} // namespace

TEST_CASE("a convolution's parts together are the convolution: bytes") {
    check_parts<statiq::float_multiplier, std::uint8_t, std::int8_t, std::uint8_t>(41, 100, 127);
}

TEST_CASE("a convolution's parts together are the convolution: weights that share bytes") {
    check_parts<statiq::float_multiplier, std::uint8_t, std::int8_t, std::uint8_t, kernels::sub_byte<4>>(45, 50, 7);
}

TEST_CASE("a convolution's parts together are the convolution: words") {
    check_parts<statiq::gemmlowp, std::int16_t, std::int8_t, std::int16_t>(42, 20, 31);
}

TEST_CASE("a convolution's parts together are the convolution: floats") {
    generator random(43);
    for (int trial = 0; trial < 100; ++trial)
        for (const kind k : {kind::any, kind::pointwise, kind::depthwise, kind::dense}) {
            const convolution_shape shape = random_shape(random, k, 150);
            const auto reals = [&](std::size_t count) { return kernel_test::guarded_values<float>(random, count); };
            const guarded_vector<float> input = reals(shape.in.size());
            const guarded_vector<float> natural = reals(shape.weight_count());
            const guarded_vector<float> bias = reals(static_cast<std::size_t>(shape.out.channels));
            guarded_vector<float> packed(kernels::packed_weight_count<float, float>(shape));
            kernels::pack_weights<float, float>(natural.data(), packed.data(), shape);
            guarded_vector<float> whole(shape.out.size(), 77.0F), in_parts = whole;
            const kernels::division by = random_division<float>(random, shape);
            const support::guarded_scratch scratch(kernels::scratch_bytes<float>(shape),
                                                   static_cast<std::size_t>(by.count()));
            const auto arguments = [&](guarded_vector<float>& output) {
                return kernels::float_convolution_arguments{.input = input.data(),
                                                            .weights = packed.data(),
                                                            .bias = bias.data(),
                                                            .output = output.data(),
                                                            .scratch = scratch.memory()};
            };
            INFO(describe(shape), ", in ", by.rows, " x ", by.panels, " parts");
            kernels::convolution(arguments(whole), shape);
            run_parts(arguments(in_parts), shape, by,
                      [](const auto& a, const convolution_shape& s) { kernels::convolution(a, s); });
            CHECK(in_parts == whole);
        }
}

TEST_CASE("a pool's rows are the pool") {
    std::mt19937 random(44);
    for (int trial = 0; trial < 300; ++trial) {
        const auto [in, out, over] = kernel_test::random_windowed(random, kernel_test::uniform(random, 1, 9));
        const auto input = kernel_test::random_values<std::uint8_t>(random, in.size());
        std::vector<std::uint8_t> whole(out.size()), parts(out.size());
        kernels::reference::average_pool(kernels::reference::pool_arguments<std::uint8_t>{
            .input = input.data(), .in = in, .out = out, .over = over, .output = whole.data()});
        const int count = kernel_test::uniform(random, 1, out.height);
        for (int i = 0; i < count; ++i) {
            const auto rows = kernels::rows_of(in, out, over, kernels::first_of_part(out.height, i, count),
                                               kernels::first_of_part(out.height, i + 1, count));
            kernels::reference::average_pool(
                kernels::reference::pool_arguments<std::uint8_t>{.input = input.data() + rows.input,
                                                                 .in = rows.in,
                                                                 .out = rows.out,
                                                                 .over = rows.over,
                                                                 .output = parts.data() + rows.output});
        }
        CHECK(parts == whole);
    }
}

TEST_CASE("divisions have no more parts than may be, are as equal as units allow, and leave small layers whole") {
    constexpr std::size_t least = std::size_t{1} << 18;
    const convolution_shape tiny{.in = {4, 4, 8}, .out = {4, 4, 8}};
    CHECK(kernels::division_of<std::int8_t>(tiny, 8, least).count() == 1);
    CHECK(kernels::division_of<std::int8_t>(tiny, 8, 1).count() == 8);
    const convolution_shape image{.in = {112, 112, 32}, .out = {112, 112, 64}};
    const convolution_shape last{.in = {7, 7, 1024}, .out = {7, 7, 1024}};
    const convolution_shape classifier{.in = {1, 1, 1024}, .out = {1, 1, 1000}};
    convolution_shape depthwise = last;
    depthwise.over = {3, 3, 1, 1, 1, 1, 1, 1};
    depthwise.groups = 1024;
    for (const convolution_shape& shape : {image, last, classifier, depthwise})
        for (const std::size_t most : {1U, 2U, 3U, 4U, 7U, 16U}) {
            const kernels::division by = kernels::division_of<std::int8_t>(shape, most, least);
            CHECK(by.rows >= 1);
            CHECK(by.panels >= 1);
            CHECK(static_cast<std::size_t>(by.count()) <= most);
        }
    CHECK(kernels::division_of<std::int8_t>(image, 2, least).rows == 2);
    CHECK(kernels::division_of<std::int8_t>(last, 2, least).panels == 2); // 49 pixels are no two equal parts
    CHECK(kernels::division_of<std::int8_t>(classifier, 2, least).panels == 2);
    CHECK(kernels::division_of<std::int8_t>(depthwise, 2, least).panels == 2);
}
