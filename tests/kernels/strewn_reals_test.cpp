// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/convert.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/pool.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/kernels/reference/backward/pool.hpp>
#include <statiq/kernels/reference/concat.hpp>
#include <statiq/kernels/reference/convert.hpp>
#include <statiq/kernels/reference/mean.hpp>
#include <statiq/kernels/reference/rearrange.hpp>
#include <statiq/kernels/reference/softmax.hpp>
#include <statiq/kernels/reference/upsample.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "../support/strewn_reals.hpp"
#include "convolution_cases.hpp"
#include "support.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <typeinfo>
#include <vector>

// Every float kernel, with whatever clamp is fused into it, on reals of which some are no numbers: the results are
// those of these definitions, which are written down here once more. Sums are in double: of small integers they are
// exact, and whether they are an infinity or a NaN depends on no order.

namespace kernels = statiq::kernels;
namespace reference = statiq::kernels::reference;
using convolution_cases::describe;
using convolution_cases::draw;
using convolution_cases::kind;
using statiq::convolution_shape;
using support::clamped;
using support::guarded_vector;
using support::same_reals;
using support::strewn_reals;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// Taps outside the image are not there: an infinite weight there is not multiplied by anything.
std::vector<float> convolved(const convolution_shape& s, const guarded_vector<float>& input,
                             const guarded_vector<float>& natural, const guarded_vector<float>& bias,
                             support::real_bounds bounds) {
    std::vector<float> output;
    const int per_group = s.out.channels / s.groups;
    for (int y = 0; y < s.out.height; ++y)
        for (int x = 0; x < s.out.width; ++x)
            for (int o = 0; o < s.out.channels; ++o) {
                auto sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
                for (int tap = 0; tap < s.over.taps(); ++tap) {
                    const int row =
                        y * s.over.stride_height - s.over.pad_top + tap / s.over.kernel_width * s.over.dilation_height;
                    const int column =
                        x * s.over.stride_width - s.over.pad_left + tap % s.over.kernel_width * s.over.dilation_width;
                    if (row < 0 || row >= s.in.height || column < 0 || column >= s.in.width) continue;
                    for (int i = 0; i < s.in_channels_per_group(); ++i) {
                        const auto from = static_cast<std::size_t>((row * s.in.width + column) * s.in.channels +
                                                                   o / per_group * s.in_channels_per_group() + i);
                        sum +=
                            static_cast<double>(input[from]) * static_cast<double>(natural[s.weight_index(o, tap, i)]);
                    }
                }
                output.push_back(clamped(static_cast<float>(sum), bounds.lowest, bounds.highest));
            }
    return output;
}

void check_convolution(std::mt19937& random, const convolution_shape& shape) {
    const auto input = strewn_reals(random, shape.in.size());
    const auto natural = strewn_reals(random, shape.weight_count());
    const auto bias = strewn_reals(random, static_cast<std::size_t>(shape.out.channels));
    guarded_vector<float> packed(kernels::packed_weight_count<float, float>(shape));
    kernels::pack_weights<float>(natural.data(), packed.data(), shape);
    const support::real_bounds bounds = support::random_bounds(random);
    INFO(describe(shape), ", clamp ", bounds.lowest, " ", bounds.highest);
    const std::vector<float> expected = convolved(shape, input, natural, bias, bounds);
    const support::guarded_scratch scratch(kernels::scratch_bytes<float>(shape));
    const auto check = [&](auto convolve) {
        guarded_vector<float> output(shape.out.size(), 77.0F);
        convolve(kernels::float_convolution_arguments{.input = input.data(),
                                                      .weights = packed.data(),
                                                      .bias = bias.data(),
                                                      .output = output.data(),
                                                      .lowest = bounds.lowest,
                                                      .highest = bounds.highest,
                                                      .scratch = scratch.memory()});
        CHECK(same_reals(output, expected));
    };
    check([&](const auto& arguments) { reference::convolution(arguments, shape); });
    for_each_arch([&](auto arch) {
        INFO(typeid(arch).name());
        check([&](const auto& arguments) { kernels::convolution(arguments, shape, arch); });
    });
}

/// A depthwise convolution of the windows that have loops of their own, often padded by more than they need.
convolution_shape common_depthwise(std::mt19937& random) {
    const int side = draw(random, 0, 1) ? 3 : 5, stride = draw(random, 1, 2);
    convolution_shape s{.in = {draw(random, 1, 9), draw(random, 1, 19), draw(random, 2, 70)},
                        .over = {.kernel_height = side,
                                 .kernel_width = side,
                                 .stride_height = stride,
                                 .stride_width = stride,
                                 .pad_top = draw(random, 0, side),
                                 .pad_left = draw(random, 0, side)}};
    const auto outputs = [&](int in, int before) {
        return std::max(1, (in + before + draw(random, 0, side) - side) / stride + 1);
    };
    s.groups = s.in.channels;
    s.out = {outputs(s.in.height, s.over.pad_top), outputs(s.in.width, s.over.pad_left), s.in.channels};
    return s;
}

} // namespace

TEST_CASE("convolutions of reals that are no numbers are what their definition makes of them") {
    std::mt19937 random(91);
    for (int trial = 0; trial < 60; ++trial) {
        for (const kind k : {kind::any, kind::pointwise, kind::depthwise, kind::dense, kind::image})
            check_convolution(random, convolution_cases::random_shape(random, k, 40));
        for (int i = 0; i < 4; ++i) check_convolution(random, common_depthwise(random));
    }
}

TEST_CASE("an infinity beside the padding stays one, and padding multiplies no infinite weight") {
    // 3 x 3 ones on a 3 x 3 image padded by one: the corner's window holds 4 pixels, the middle's 9.
    const convolution_shape shape{.in = {3, 3, 2},
                                  .out = {3, 3, 2},
                                  .over = {.kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_left = 1},
                                  .groups = 2};
    for_each_arch([&](auto arch) {
        std::vector<float> input(18, 1.0F), weights(18, 1.0F), bias(2), output(18);
        std::vector<float> packed(kernels::packed_weight_count<float, float>(shape));
        const support::guarded_scratch scratch(kernels::scratch_bytes<float>(shape));
        const auto run = [&] {
            kernels::pack_weights<float>(weights.data(), packed.data(), shape);
            kernels::convolution(kernels::float_convolution_arguments{.input = input.data(),
                                                                      .weights = packed.data(),
                                                                      .bias = bias.data(),
                                                                      .output = output.data(),
                                                                      .lowest = 0,
                                                                      .highest = 6,
                                                                      .scratch = scratch.memory()},
                                 shape, arch);
        };
        input[0] = infinity; // channel 0 of the upper left pixel: only windows around it see it, clamped to 6
        run();
        CHECK(output == std::vector<float>{6, 4, 6, 6, 4, 4, 6, 6, 6, 6, 6, 6, 4, 4, 6, 6, 4, 4});
        input[0] = 1;
        weights[0] = -infinity; // of the window's upper left tap, which is padding in the first row and column
        run();
        CHECK(output == std::vector<float>{4, 4, 6, 6, 4, 4, 6, 6, 0, 6, 0, 6, 4, 4, 0, 6, 0, 4});
    });
}

TEST_CASE("pools of reals that are no numbers: a NaN makes every window that holds it NaN") {
    std::mt19937 random(92);
    for (int trial = 0; trial < 150; ++trial) {
        const kernel_test::windowed shape = kernel_test::random_windowed(random, draw(random, 1, 40));
        const auto input = strewn_reals(random, shape.in.size());
        const support::real_bounds bounds = support::random_bounds(random);
        std::vector<float> largest, mean;
        for (int y = 0; y < shape.out.height; ++y)
            for (int x = 0; x < shape.out.width; ++x)
                for (int c = 0; c < shape.out.channels; ++c) {
                    float most = -infinity;
                    double sum = 0;
                    int count = 0;
                    for (int tap = 0; tap < shape.over.taps(); ++tap) {
                        const int row = y * shape.over.stride_height - shape.over.pad_top +
                                        tap / shape.over.kernel_width * shape.over.dilation_height;
                        const int column = x * shape.over.stride_width - shape.over.pad_left +
                                           tap % shape.over.kernel_width * shape.over.dilation_width;
                        if (row < 0 || row >= shape.in.height || column < 0 || column >= shape.in.width) continue;
                        const float value =
                            input[static_cast<std::size_t>((row * shape.in.width + column) * shape.in.channels + c)];
                        if (std::isnan(value) || value > most) most = std::isnan(most) ? most : value;
                        sum += static_cast<double>(value);
                        ++count;
                    }
                    largest.push_back(clamped(most, bounds.lowest, bounds.highest));
                    mean.push_back(clamped(static_cast<float>(sum / count), bounds.lowest, bounds.highest));
                }
        guarded_vector<float> output(shape.out.size());
        const reference::pool_arguments<float> pool{.input = input.data(),
                                                    .in = shape.in,
                                                    .out = shape.out,
                                                    .over = shape.over,
                                                    .lowest = bounds.lowest,
                                                    .highest = bounds.highest,
                                                    .output = output.data()};
        const auto same = [&](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
        kernels::max_pool(pool);
        CHECK(std::equal(output.begin(), output.end(), largest.begin(), same)); // of two zeros either is the larger
        kernels::average_pool(pool);
        CHECK(same_reals(output, mean));
    }
}

TEST_CASE("the gradient of a window's largest value goes to its first NaN") {
    const std::vector<float> input{1, not_a_number, 5, not_a_number};
    const float given = 3;
    std::vector<float> gradient(4);
    reference::max_pool_gradient(
        reference::pool_gradient_arguments<float>{.input = input.data(),
                                                  .in = {2, 2, 1},
                                                  .out = {1, 1, 1},
                                                  .over = {.kernel_height = 2, .kernel_width = 2},
                                                  .output_gradient = &given,
                                                  .gradient = gradient.data()});
    CHECK(gradient == std::vector<float>{0, 3, 0, 0});
}

TEST_CASE("means, sums and clamps of reals that are no numbers") {
    std::mt19937 random(93);
    for (int trial = 0; trial < 150; ++trial) {
        const statiq::extents in{draw(random, 1, 6), draw(random, 1, 6), draw(random, 1, 50)};
        const auto channels = static_cast<std::size_t>(in.channels);
        const support::real_bounds bounds = support::random_bounds(random);
        const auto first = strewn_reals(random, in.size()), second = strewn_reals(random, in.size()),
                   third = strewn_reals(random, in.size());

        std::vector<double> sums(channels);
        for (std::size_t i = 0; i < first.size(); ++i) sums[i % channels] += static_cast<double>(first[i]);
        std::vector<float> means;
        for (const double sum : sums)
            means.push_back(
                clamped(static_cast<float>(sum / static_cast<double>(in.pixels())), bounds.lowest, bounds.highest));
        guarded_vector<float> of_pixels(channels);
        reference::mean({first.data(), in, bounds.lowest, bounds.highest, of_pixels.data()});
        CHECK(same_reals(of_pixels, means));

        std::vector<float> totals, clamps;
        for (std::size_t i = 0; i < first.size(); ++i) {
            totals.push_back(clamped(first[i] + second[i] + third[i], bounds.lowest, bounds.highest));
            clamps.push_back(clamped(first[i], bounds.lowest, bounds.highest));
        }
        guarded_vector<float> output(in.size());
        const std::array<const float*, 3> terms{first.data(), second.data(), third.data()};
        reference::add({terms, in.size(), bounds.lowest, bounds.highest, output.data()});
        CHECK(same_reals(output, totals));
        kernels::clamp(
            reference::clamp_arguments<float>{first.data(), in.size(), bounds.lowest, bounds.highest, output.data()});
        CHECK(same_reals(output, clamps));
    }
}

TEST_CASE("what moves reals moves those that are no numbers") {
    std::mt19937 random(94);
    for (int trial = 0; trial < 60; ++trial) {
        const statiq::extents in{draw(random, 1, 5), draw(random, 1, 5), draw(random, 1, 20)};
        const auto input = strewn_reals(random, in.size());
        const auto at = [&](int y, int x, int c) {
            return input[static_cast<std::size_t>((y * in.width + x) * in.channels + c)];
        };
        const int rows = draw(random, 1, 3), columns = draw(random, 1, 3), before = draw(random, 0, 3);
        std::vector<float> enlarged, joined, padded;
        for (int y = 0; y < in.height * rows; ++y)
            for (int x = 0; x < in.width * columns; ++x)
                for (int c = 0; c < in.channels; ++c) enlarged.push_back(at(y / rows, x / columns, c));
        for (int y = 0; y < in.height; ++y)
            for (int x = 0; x < in.width; ++x)
                for (int c = -before; c < in.channels; ++c) joined.push_back(c < 0 ? 77.0F : at(y, x, c));
        for (int y = -rows; y < in.height + 1; ++y)
            for (int x = -columns; x < in.width + 2; ++x)
                for (int c = 0; c < in.channels; ++c) {
                    const bool inside = y >= 0 && y < in.height && x >= 0 && x < in.width;
                    padded.push_back(inside ? at(y, x, c) : 0.0F);
                }
        guarded_vector<float> larger(enlarged.size()), wider(joined.size(), 77.0F), framed(padded.size());
        reference::upsample(input.data(), in, {in.height * rows, in.width * columns, in.channels}, larger.data());
        reference::concat({input.data(), in, in.channels + before, before, wider.data()});
        reference::pad<float>({input.data(),
                               in,
                               {in.height + rows + 1, in.width + columns + 2, in.channels},
                               rows,
                               columns,
                               0.0F,
                               framed.data()});
        CHECK(same_reals(larger, enlarged));
        CHECK(same_reals(wider, joined));
        CHECK(same_reals(framed, padded));
    }
}

TEST_CASE("softmax is NaN where a channel is NaN or +infinity, or all are -infinity") {
    const auto softmax = [](std::vector<float> channels) {
        reference::softmax({.input = channels.data(),
                            .in = {1, 1, static_cast<int>(channels.size())},
                            .beta = 1,
                            .output = channels.data()});
        return channels;
    };
    // e^-infinity is 0; infinity - infinity, the largest less itself, is NaN, as PyTorch has it.
    CHECK(softmax({-infinity, 2, 2}) == std::vector<float>{0, 0.5F, 0.5F});
    const std::vector<std::vector<float>> all{{not_a_number, 1, 2},     {1, not_a_number, 2},
                                              {1, 2, not_a_number},     {1, infinity, 2},
                                              {infinity, -infinity, 2}, {-infinity, -infinity, -infinity}};
    for (const std::vector<float>& odd : all)
        for (const float y : softmax(odd)) CHECK(std::isnan(y));
}

TEST_CASE_TEMPLATE("quantizing: NaN is the zero point, and infinities are the ends", Out, std::int8_t, std::uint8_t,
                   std::int16_t) {
    std::mt19937 random(95);
    for (int trial = 0; trial < 60; ++trial) {
        const int a = kernel_test::uniform(random, kernel_test::lowest<Out>(), kernel_test::highest<Out>());
        const int b = kernel_test::uniform(random, kernel_test::lowest<Out>(), kernel_test::highest<Out>());
        const statiq::number_format format{.floating = false,
                                           .bits = 8 * static_cast<int>(sizeof(Out)),
                                           .lowest = std::min(a, b),
                                           .highest = std::max(a, b),
                                           .has_zero_point = true};
        const int zero_point = kernel_test::uniform(random, format.lowest, format.highest);
        // Every scale, down to those by which a number's quotient is an infinity.
        const float scale = kernel_test::random_scale(random, 1e-44, 1e38);
        const auto input = strewn_reals(random, static_cast<std::size_t>(kernel_test::uniform(random, 1, 300)));
        const auto check = [&](auto quantize) {
            guarded_vector<Out> output(input.size());
            quantize(reference::quantize_arguments<Out>{
                input.data(), input.size(), {scale, zero_point}, format, output.data()});
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < input.size(); ++i) {
                const double steps = std::isnan(input[i]) ? 0.0 : std::round(static_cast<double>(input[i] / scale));
                const double expected = std::clamp<double>(steps + zero_point, format.lowest, format.highest);
                if (output[i] != static_cast<Out>(expected)) ++wrong;
            }
            CHECK(wrong == 0);
        };
        check([](const auto& of) { reference::quantize(of); });
        for_each_arch([&](auto arch) {
            INFO(typeid(arch).name());
            check([&](const auto& of) { kernels::quantize(of, arch); });
        });
    }
}
