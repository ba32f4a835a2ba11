// SPDX-License-Identifier: Apache-2.0
// The scalar kernels with the scheme `gemmlowp` against TensorFlow Lite Micro's reference kernels, bit for bit.
#include <statiq/kernels/reference/add.hpp>
#include <statiq/kernels/reference/convert.hpp>
#include <statiq/kernels/reference/mean.hpp>
#include <statiq/kernels/reference/pool.hpp>
#include <statiq/kernels/reference/softmax.hpp>
#include <statiq/kernels/reference/softmax_primitives.hpp>
#include <statiq/numeric/requantize.hpp>

#include <doctest/doctest.h>

#include "golden.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace reference = statiq::kernels::reference;
using kernel_test::golden;
using kernel_test::golden_cases;
using nlohmann::json;
using statiq::gemmlowp;

namespace {

struct tally {
    std::size_t cases = 0;
    std::size_t values = 0;
    std::size_t wrong = 0;
    std::size_t not_covered = 0;

    template <class T>
    void compare(const std::vector<T>& ours, std::span<const T> expected) {
        ++cases;
        REQUIRE(ours.size() == expected.size());
        values += ours.size();
        for (std::size_t i = 0; i < ours.size(); ++i) wrong += ours[i] != expected[i];
    }
    void report(const std::string& operation) const {
        MESSAGE(operation << ": compared " << cases << " cases, " << values << " values; not covered: " << not_covered);
        CHECK(cases > 0);
        CHECK(wrong == 0);
    }
};

float scale_of(const json& one, const char* name) { return static_cast<float>(one.at(name).get<double>()); }

statiq::fixed_point fixed_point_of(const json& one, const std::string& prefix) {
    return {one.at(prefix + "multiplier").get<std::int32_t>(), one.at(prefix + "shift").get<std::int32_t>()};
}

/// An NHWC shape without N.
statiq::extents image_of(const std::vector<int>& shape) {
    REQUIRE(shape.size() == 4);
    return {shape[1], shape[2], shape[3]};
}

template <class Pool>
void compare_pool(const std::string& operation, Pool pool) {
    const auto data = golden(operation);
    if (!data) return;
    tally result;
    for (const json& one : data->cases) {
        const auto shape = one.at("input_shape").get<std::vector<int>>();
        const auto input = data->tensor(one, "input").values<std::int8_t>();
        const auto expected = data->tensor(one, "output").values<std::int8_t>();
        reference::pool_arguments<std::int8_t> arguments{
            .in = image_of(shape),
            .out = image_of(one.at("output_shape").get<std::vector<int>>()),
            .over = {.kernel_height = one.at("filter_h"),
                     .kernel_width = one.at("filter_w"),
                     .stride_height = one.at("stride_h"),
                     .stride_width = one.at("stride_w"),
                     .pad_top = one.at("pad_top"),
                     .pad_left = one.at("pad_left")},
            .lowest = one.at("activation_min"),
            .highest = one.at("activation_max"),
        };
        std::vector<std::int8_t> ours(expected.size());
        for (std::size_t sample = 0; sample < static_cast<std::size_t>(shape[0]); ++sample) {
            arguments.input = input.data() + sample * arguments.in.size();
            arguments.output = ours.data() + sample * arguments.out.size();
            pool(arguments);
        }
        result.compare(ours, expected);
    }
    result.report(operation);
}

template <class In, class Out>
void compare_requantized(const golden_cases& data, const json& one, tally& result) {
    const auto input = data.tensor(one, "input").values<In>();
    const auto factor = gemmlowp::prepare(static_cast<double>(scale_of(one, "input_scale")) /
                                          static_cast<double>(scale_of(one, "output_scale")));
    CHECK(factor == fixed_point_of(one, ""));
    std::vector<Out> ours(input.size());
    reference::requantize(
        reference::requantize_arguments<In, Out, gemmlowp>{.input = input.data(),
                                                           .size = input.size(),
                                                           .input_zero_point = one.at("input_zero_point"),
                                                           .factor = factor,
                                                           .output_zero_point = one.at("output_zero_point"),
                                                           .output = ours.data()});
    result.compare(ours, data.tensor(one, "output").values<Out>());
}

} // namespace

TEST_CASE("golden: max_pool2d") {
    compare_pool("max_pool2d", [](const auto& pool) { reference::max_pool(pool); });
}

TEST_CASE("golden: average_pool2d") {
    compare_pool("average_pool2d", [](const auto& pool) { reference::average_pool(pool); });
}

TEST_CASE("golden: mean") {
    const auto data = golden("mean");
    if (!data) return;
    tally result;
    for (const json& one : data->cases) {
        const auto shape = one.at("input_shape").get<std::vector<int>>();
        auto axes = one.at("axis").get<std::vector<int>>();
        for (int& axis : axes) axis += axis < 0 ? static_cast<int>(shape.size()) : 0;
        std::sort(axes.begin(), axes.end());
        // Neighbouring axes make one: the axes before the reduced ones number the samples, those after are channels.
        bool neighbours = !axes.empty();
        for (std::size_t i = 1; i < axes.size(); ++i) neighbours = neighbours && axes[i] == axes[i - 1] + 1;
        if (!neighbours) {
            ++result.not_covered;
            continue;
        }
        const auto product = [](auto first, auto last) { return std::accumulate(first, last, 1, std::multiplies<>{}); };
        const auto samples = static_cast<std::size_t>(product(shape.begin(), shape.begin() + axes.front()));
        const statiq::extents in{1, product(shape.begin() + axes.front(), shape.begin() + axes.back() + 1),
                                 product(shape.begin() + axes.back() + 1, shape.end())};

        const auto factor = gemmlowp::prepare_mean(static_cast<double>(scale_of(one, "input_scale")) /
                                                       static_cast<double>(scale_of(one, "output_scale")),
                                                   static_cast<std::int64_t>(in.pixels()));
        CHECK(factor == fixed_point_of(one, "folded_"));
        const auto input = data->tensor(one, "input").values<std::int8_t>();
        const auto expected = data->tensor(one, "output").values<std::int8_t>();
        std::vector<std::int8_t> ours(samples * static_cast<std::size_t>(in.channels));
        for (std::size_t sample = 0; sample < samples; ++sample)
            reference::mean(reference::mean_arguments<std::int8_t, std::int8_t, gemmlowp>{
                .input = input.data() + sample * in.size(),
                .in = in,
                .input_zero_point = one.at("input_zero_point"),
                .factor = factor,
                .output_zero_point = one.at("output_zero_point"),
                .output = ours.data() + sample * static_cast<std::size_t>(in.channels)});
        result.compare(ours, expected);
    }
    result.report("mean");
}

TEST_CASE("golden: add") {
    const auto data = golden("add");
    if (!data) return;
    tally result;
    for (const json& one : data->cases) {
        if (one.at("input1_shape") != one.at("input2_shape")) {
            ++result.not_covered;
            continue;
        }
        const std::array<float, 2> scales{scale_of(one, "input1_scale"), scale_of(one, "input2_scale")};
        const auto factors = reference::prepare_add<gemmlowp>(scales, scale_of(one, "output_scale"), 8);
        CHECK(factors.left_shift == one.at("left_shift"));
        CHECK(factors.inputs[0] == fixed_point_of(one, "input1_"));
        CHECK(factors.inputs[1] == fixed_point_of(one, "input2_"));
        CHECK(factors.output == fixed_point_of(one, "output_"));
        const std::array<reference::add_input<std::int8_t, gemmlowp>, 2> inputs{
            {{.data = data->tensor(one, "input1").values<std::int8_t>().data(),
              .zero_point = one.at("input1_zero_point"),
              .factor = factors.inputs[0]},
             {.data = data->tensor(one, "input2").values<std::int8_t>().data(),
              .zero_point = one.at("input2_zero_point"),
              .factor = factors.inputs[1]}}};
        const auto expected = data->tensor(one, "output").values<std::int8_t>();
        std::vector<std::int8_t> ours(expected.size());
        reference::add(reference::add_arguments<std::int8_t, std::int8_t, gemmlowp>{.inputs = inputs,
                                                                                    .size = ours.size(),
                                                                                    .left_shift = factors.left_shift,
                                                                                    .factor = factors.output,
                                                                                    .output_zero_point =
                                                                                        one.at("output_zero_point"),
                                                                                    .lowest = one.at("activation_min"),
                                                                                    .highest = one.at("activation_max"),
                                                                                    .output = ours.data()});
        result.compare(ours, expected);
    }
    result.report("add");
}

TEST_CASE("golden: requantize") {
    const auto data = golden("requantize");
    if (!data) return;
    using statiq::io::dtype;
    tally result;
    for (const json& one : data->cases) {
        const dtype in = data->tensor(one, "input").dtype;
        const dtype out = data->tensor(one, "output").dtype;
        if (in == dtype::i8 && out == dtype::i8)
            compare_requantized<std::int8_t, std::int8_t>(*data, one, result);
        else if (in == dtype::i8 && out == dtype::u8)
            compare_requantized<std::int8_t, std::uint8_t>(*data, one, result);
        else if (in == dtype::u8 && out == dtype::i8)
            compare_requantized<std::uint8_t, std::int8_t>(*data, one, result);
        else if (in == dtype::u8 && out == dtype::u8)
            compare_requantized<std::uint8_t, std::uint8_t>(*data, one, result);
        else
            ++result.not_covered;
    }
    result.report("requantize");
}

TEST_CASE("golden: softmax") {
    const auto data = golden("softmax");
    if (!data) return;
    tally result;
    for (const json& one : data->cases) {
        const auto parameters = reference::prepare_softmax(scale_of(one, "input_scale"), scale_of(one, "beta"));
        CHECK(parameters.multiplier == one.at("input_multiplier"));
        CHECK(parameters.left_shift == one.at("input_left_shift"));
        CHECK(parameters.lowest_difference == one.at("diff_min"));
        const auto input = data->tensor(one, "input").values<std::int8_t>();
        const auto shape = one.at("shape").get<std::vector<int>>();
        std::vector<std::int8_t> ours(input.size());
        reference::softmax(reference::softmax_arguments<std::int8_t, std::int8_t>{
            .input = input.data(),
            .in = {1, static_cast<int>(input.size()) / shape.back(), shape.back()},
            .parameters = parameters,
            .output = ours.data()});
        result.compare(ours, data->tensor(one, "output").values<std::int8_t>());
    }
    result.report("softmax");
}

TEST_CASE("golden: softmax_primitives") {
    const auto data = kernel_test::golden_tensors("softmax_primitives");
    if (!data) return;
    const auto values = [&data](const char* name) { return data->at(name).values<std::int32_t>(); };
    tally result;
    std::vector<std::int32_t> exponentials;
    for (const std::int32_t a : values("exp_q5_26.in")) exponentials.push_back(reference::exp_on_negative_values(a));
    result.compare(exponentials, values("exp_q5_26.out"));
    std::vector<std::int32_t> reciprocals;
    std::vector<std::int32_t> shifts;
    for (const std::int32_t x : values("reciprocal12.in")) {
        const auto [value, shift] = reference::reciprocal(x, 12);
        reciprocals.push_back(value);
        shifts.push_back(shift);
    }
    result.compare(reciprocals, values("reciprocal12.out"));
    result.compare(shifts, values("reciprocal12.num_bits_over_unit"));
    result.report("softmax_primitives");
}
