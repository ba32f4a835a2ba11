// SPDX-License-Identifier: Apache-2.0
// Convolution, depthwise, fully connected and broadcast sums with the scheme `gemmlowp` against TensorFlow Lite Micro's
// reference kernels, bit for bit: the scalar definition and this machine's vector path.
#include <statiq/execute/prepare.hpp>
#include <statiq/graph/infer.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/kernels/reference/broadcast.hpp>
#include <statiq/kernels/weights.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/requantize.hpp>

#include <doctest/doctest.h>

#include "golden.hpp"
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kernels = statiq::kernels;
using kernel_test::golden;
using kernel_test::golden_cases;
using nlohmann::json;
using statiq::gemmlowp;

namespace {

float number(const json& one, const char* name) { return static_cast<float>(one.at(name).get<double>()); }

statiq::activation activation_named(const std::string& name) {
    if (name == "RELU") return statiq::activation::relu;
    if (name == "RELU6") return statiq::activation::relu6;
    if (name == "RELU_N1_TO_1") return statiq::activation::relu_n1_to_1;
    REQUIRE(name == "NONE");
    return statiq::activation::none;
}

/// The clamp our own preparation finds for the case's activation, checked against the one stored.
std::pair<std::int32_t, std::int32_t> clamp_of(const json& one) {
    statiq::node n{.fused = activation_named(one.at("fused_activation"))};
    n.numbers.activation = statiq::quantized<8, statiq::asymmetric_signed>::format;
    const statiq::affine map{number(one, "output_scale"), one.at("output_zero_point").get<std::int32_t>()};
    std::pair<std::int32_t, std::int32_t> clamp;
    statiq::detail::set_clamp(n, map, clamp.first, clamp.second);
    CHECK(clamp.first == one.at("activation_min").get<std::int32_t>());
    CHECK(clamp.second == one.at("activation_max").get<std::int32_t>());
    return clamp;
}

statiq::window window_of(const json& one, const statiq::extents& in, int kernel_height, int kernel_width) {
    const auto rule = one.at("padding") == "SAME" ? statiq::padding_rule::same : statiq::padding_rule::valid;
    const int stride_height = one.at("stride_h");
    const int stride_width = one.at("stride_w");
    const int dilation_height = one.at("dilation_h");
    const int dilation_width = one.at("dilation_w");
    const auto rows = statiq::detail::infer_axis(in.height, kernel_height, stride_height, dilation_height, rule, 0, 0);
    const auto columns = statiq::detail::infer_axis(in.width, kernel_width, stride_width, dilation_width, rule, 0, 0);
    CHECK(rows.pad_before == one.at("pad_top").get<int>());
    CHECK(columns.pad_before == one.at("pad_left").get<int>());
    return {kernel_height,   kernel_width,   stride_height,   stride_width,
            dilation_height, dilation_width, rows.pad_before, columns.pad_before};
}

struct tally {
    std::size_t cases = 0;
    std::size_t values = 0;
    std::size_t wrong = 0;

    void compare(std::span<const std::int8_t> ours, std::span<const std::int8_t> expected) {
        REQUIRE(ours.size() == expected.size());
        values += ours.size();
        for (std::size_t i = 0; i < ours.size(); ++i) wrong += ours[i] != expected[i] ? 1U : 0U;
    }
    void report(const std::string& operation, const golden_cases& data) const {
        MESSAGE(operation << ": compared " << cases << " cases, " << values << " values");
        CHECK(cases == data.cases.size());
        CHECK(wrong == 0);
    }
};

/// Runs one linear case through the definition and through the entry point that picks a vector path.
/// @param natural weights in statiq's natural order
void compare_linear(const golden_cases& data, const json& one, const statiq::convolution_shape& shape,
                    const std::vector<std::int8_t>& natural, std::span<const double> multipliers, tally& result) {
    const auto input = data.tensor(one, "input").values<std::int8_t>();
    const auto expected = data.tensor(one, "output").values<std::int8_t>();
    const auto channels = static_cast<std::size_t>(shape.out.channels);
    std::vector<std::int32_t> biases(channels, 0);
    if (one.at("has_bias").get<bool>()) {
        const auto stored = data.tensor(one, "bias").values<std::int32_t>();
        biases.assign(stored.begin(), stored.end());
    }
    std::vector<statiq::fixed_point> factors;
    const auto stored_multipliers = one.at("multiplier").get<std::vector<std::int32_t>>();
    const auto stored_shifts = one.at("shift").get<std::vector<std::int32_t>>();
    for (std::size_t c = 0; c < channels; ++c) {
        factors.push_back(gemmlowp::prepare(multipliers[multipliers.size() == 1 ? 0 : c]));
        const std::size_t at = stored_multipliers.size() == 1 ? 0 : c;
        CHECK(factors.back() == statiq::fixed_point{stored_multipliers[at], stored_shifts[at]});
    }
    std::vector<std::int8_t> packed(kernels::packed_weight_count<std::int8_t, std::int8_t>(shape));
    kernels::pack_weights<std::int8_t, std::int8_t>(natural.data(), packed.data(), shape);
    std::vector<std::int32_t> corrected(channels);
    const std::int32_t zero = one.at("input_zero_point");
    kernels::correct_bias<std::int8_t, std::int8_t>(biases.data(), packed.data(), nullptr, zero, shape,
                                                    corrected.data());
    const auto [lowest, highest] = clamp_of(one);
    std::vector<std::int8_t> scalar(expected.size());
    std::vector<std::int8_t> vectorised(expected.size());
    ++result.cases;
    for (std::size_t sample = 0; sample * shape.out.size() < expected.size(); ++sample) {
        kernels::convolution_arguments<std::int8_t, std::int8_t, std::int8_t, gemmlowp> arguments{
            .input = input.data() + sample * shape.in.size(),
            .weights = packed.data(),
            .bias = biases.data(),
            .corrected_bias = corrected.data(),
            .weight_zero_points = nullptr,
            .factors = factors.data(),
            .input_zero_point = zero,
            .output_zero_point = one.at("output_zero_point"),
            .lowest = lowest,
            .highest = highest,
            .output = scalar.data() + sample * shape.out.size()};
        kernels::reference::convolution(arguments, shape);
        arguments.output = vectorised.data() + sample * shape.out.size();
        kernels::convolution(arguments, shape);
    }
    result.compare(scalar, expected);
    result.compare(vectorised, expected);
}

std::vector<double> multipliers_of(const json& one) {
    std::vector<double> multipliers;
    for (const double scale : one.at("filter_scale").get<std::vector<double>>())
        multipliers.push_back(static_cast<double>(number(one, "input_scale")) *
                              static_cast<double>(static_cast<float>(scale)) /
                              static_cast<double>(number(one, "output_scale")));
    return multipliers;
}

void compare_convolutions(const std::string& operation) {
    const auto data = golden(operation);
    if (!data) return;
    tally result;
    for (const json& one : data->cases) {
        const auto in = one.at("input_shape").get<std::vector<int>>();
        const auto out = one.at("output_shape").get<std::vector<int>>();
        const auto filter = one.at("filter_shape").get<std::vector<int>>();
        const bool depthwise = operation == "depthwise_conv2d";
        statiq::convolution_shape shape{.in = {in[1], in[2], in[3]}, .out = {out[1], out[2], out[3]}};
        shape.over = window_of(one, shape.in, filter[1], filter[2]);
        shape.groups = depthwise ? in[3] : in[3] / filter[3];
        const auto stored = data->tensor(one, "filter").values<std::int8_t>();
        std::vector<std::int8_t> natural(stored.size());
        const auto position = [&](int o, int tap, int c) { // the filters are stored OHWI, of depthwise cases 1HWC
            const int taps = shape.over.taps();
            return static_cast<std::size_t>(depthwise ? tap * shape.out.channels + o
                                                      : (o * taps + tap) * shape.in_channels_per_group() + c);
        };
        for (int o = 0; o < shape.out.channels; ++o)
            for (int tap = 0; tap < shape.over.taps(); ++tap)
                for (int c = 0; c < shape.in_channels_per_group(); ++c)
                    natural[shape.weight_index(o, tap, c)] = stored[position(o, tap, c)];
        compare_linear(*data, one, shape, natural, multipliers_of(one), result);
    }
    result.report(operation, *data);
}

} // namespace

TEST_CASE("golden: conv2d") { compare_convolutions("conv2d"); }
TEST_CASE("golden: conv2d_grouped") { compare_convolutions("conv2d_grouped"); }
TEST_CASE("golden: depthwise_conv2d") { compare_convolutions("depthwise_conv2d"); }

TEST_CASE("golden: fully_connected") {
    const auto data = golden("fully_connected");
    if (!data) return;
    tally result;
    for (const json& one : data->cases) {
        const auto filter = one.at("filter_shape").get<std::vector<int>>();
        const statiq::convolution_shape shape{.in = {1, 1, filter[1]}, .out = {1, 1, filter[0]}, .over = {}};
        const auto stored = data->tensor(one, "filter").values<std::int8_t>();
        std::vector<double> multipliers;
        const auto scales = one.at("filter_scale").get<std::vector<double>>();
        for (const double scale : scales)
            multipliers.push_back(statiq::detail::accumulator_multiplier(scales.size() == 1, number(one, "input_scale"),
                                                                         static_cast<float>(scale),
                                                                         number(one, "output_scale")));
        compare_linear(*data, one, shape, {stored.begin(), stored.end()}, multipliers, result);
    }
    result.report("fully_connected", *data);
}

TEST_CASE("golden: add_broadcast") {
    const auto data = golden("add_broadcast");
    if (!data) return;
    tally result;
    for (const json& one : data->cases) {
        const auto image = [&](const char* key) {
            auto shape = one.at(key).get<std::vector<int>>();
            while (shape.size() < 4) shape.insert(shape.begin(), 1);
            return shape;
        };
        const auto out = image("output_shape");
        const statiq::extents wanted{out[1], out[2], out[3]};
        const auto expected = data->tensor(one, "output").values<std::int8_t>();
        const std::array<float, 2> scales{number(one, "input1_scale"), number(one, "input2_scale")};
        const auto factors = kernels::reference::prepare_add<gemmlowp>(scales, number(one, "output_scale"), 8);
        const auto [lowest, highest] = clamp_of(one);
        std::vector<std::int8_t> ours(expected.size());
        for (int sample = 0; sample < out[0]; ++sample) {
            std::array<std::vector<std::int8_t>, 2> repeated;
            std::array<kernels::reference::add_input<std::int8_t, gemmlowp>, 2> inputs;
            for (std::size_t k = 0; k < 2; ++k) {
                const std::string name = "input" + std::to_string(k + 1);
                const auto shape = image((name + "_shape").c_str());
                const statiq::extents own{shape[1], shape[2], shape[3]};
                repeated[k].resize(wanted.size());
                kernels::reference::broadcast(data->tensor(one, name).values<std::int8_t>().data() +
                                                  (shape[0] == 1 ? 0U : static_cast<std::size_t>(sample)) * own.size(),
                                              own, wanted, repeated[k].data());
                inputs[k] = {repeated[k].data(), one.at(name + "_zero_point").get<std::int32_t>(), factors.inputs[k]};
            }
            kernels::reference::add(kernels::reference::add_arguments<std::int8_t, std::int8_t, gemmlowp>{
                .inputs = inputs,
                .size = wanted.size(),
                .left_shift = factors.left_shift,
                .factor = factors.output,
                .output_zero_point = one.at("output_zero_point"),
                .lowest = lowest,
                .highest = highest,
                .output = ours.data() + static_cast<std::size_t>(sample) * wanted.size()});
        }
        ++result.cases;
        result.compare(ours, expected);
    }
    result.report("add_broadcast", *data);
}
