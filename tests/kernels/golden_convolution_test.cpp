// SPDX-License-Identifier: Apache-2.0
// Convolution, depthwise and fully connected with the scheme `gemmlowp` against TensorFlow Lite Micro's reference
// kernels, bit for bit: the scalar definition and this machine's vector path.
#include <statiq/execute/prepare.hpp>
#include <statiq/graph/infer.hpp>
#include <statiq/kernels/convolution.hpp>
#include <statiq/kernels/convolution/scratch_bytes.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/operations/library.hpp>

#include <doctest/doctest.h>

#include "../support/guarded_scratch.hpp"
#include "golden.hpp"
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kernels = statiq::kernels;
using namespace kernel_test;
using statiq::gemmlowp;

namespace {

/// The clamp our own preparation finds for the case's activation, checked against the one stored.
template <class Out>
std::pair<std::int32_t, std::int32_t> clamp_of(const json& one) {
    statiq::node n{.clamp = activation_named(one.at("fused_activation"))};
    n.numbers.activation = statiq::quantized<8 * sizeof(Out), statiq::asymmetric_signed>::format;
    const statiq::affine map{scale_of(one, "output_scale"), one.at("output_zero_point").get<std::int32_t>()};
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
    return {kernel_height,
            kernel_width,
            stride_height,
            stride_width,
            dilation_height,
            dilation_width,
            static_cast<int>(rows.pad_before),
            static_cast<int>(columns.pad_before)};
}

/// One case with int32 sums, through the definition and through the entry point that picks a vector path.
/// @tparam T of the activations
/// @param natural weights in statiq's natural order
template <class T>
void compare_linear(const golden_cases& data, const json& one, const statiq::convolution_shape& shape,
                    const std::vector<std::int8_t>& natural, std::span<const double> multipliers, tally& result) {
    const auto input = data.values<T>(one, "input");
    const auto expected = data.values<T>(one, "output");
    const auto channels = static_cast<std::size_t>(shape.out.channels);
    std::vector<std::int32_t> biases(channels, 0);
    if (one.at("has_bias").get<bool>()) {
        const auto stored = data.values<std::int32_t>(one, "bias");
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
    std::vector<std::int8_t> packed(kernels::packed_weight_count<T, std::int8_t>(shape));
    kernels::pack_weights<T, std::int8_t>(natural.data(), packed.data(), shape);
    std::vector<std::int32_t> corrected(channels);
    const std::int32_t zero = one.at("input_zero_point");
    kernels::correct_bias<T, std::int8_t>(biases.data(), packed.data(), nullptr, zero, shape, corrected.data());
    const auto [lowest, highest] = clamp_of<T>(one);
    const support::guarded_scratch scratch(kernels::scratch_bytes<std::int8_t>(shape));
    kernels::convolution_arguments<T, std::int8_t, T, gemmlowp> arguments{.input = nullptr,
                                                                          .weights = packed.data(),
                                                                          .bias = biases.data(),
                                                                          .corrected_bias = corrected.data(),
                                                                          .weight_zero_points = nullptr,
                                                                          .factors = factors.data(),
                                                                          .input_zero_point = zero,
                                                                          .output_zero_point =
                                                                              one.at("output_zero_point"),
                                                                          .lowest = lowest,
                                                                          .highest = highest,
                                                                          .output = nullptr,
                                                                          .scratch = scratch.memory()};
    result.compare(expected, [&](auto arch, T* output) {
        for (std::size_t sample = 0; sample * shape.out.size() < expected.size(); ++sample) {
            arguments.input = input.data() + sample * shape.in.size();
            arguments.output = output + sample * shape.out.size();
            kernels::convolution(arguments, shape, arch);
        }
    });
}

/// Whether a case sums in int64, as TensorFlow Lite does beside int64 biases: networks here sum in int32.
bool has_wide_sums(const json& one) { return one.contains("accumulator") && one.at("accumulator") == "int64"; }

std::vector<double> multipliers_of(const json& one, bool rounds_product) {
    std::vector<double> multipliers;
    for (const double scale : one.at("filter_scale").get<std::vector<double>>())
        multipliers.push_back(statiq::detail::accumulator_multiplier(
            rounds_product, scale_of(one, "input_scale"), static_cast<float>(scale), scale_of(one, "output_scale")));
    return multipliers;
}

template <class T>
void compare_convolutions(const std::string& name, bool depthwise = false) {
    const auto data = golden(name);
    tally result;
    std::size_t left_out = 0;
    for (const json& one : data.cases) {
        if (has_wide_sums(one)) {
            ++left_out;
            continue;
        }
        const auto in = image_shape(one.at("input_shape"));
        const auto filter = image_shape(one.at("filter_shape"));
        statiq::convolution_shape shape{.in = image_of(in), .out = image_of(image_shape(one.at("output_shape")))};
        shape.over = window_of(one, shape.in, filter[1], filter[2]);
        shape.groups = depthwise ? in[3] : in[3] / filter[3];
        const auto stored = data.values<std::int8_t>(one, "filter");
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
        compare_linear<T>(data, one, shape, natural, multipliers_of(one, false), result);
    }
    result.check(data, left_out);
}

template <class T>
void compare_fully_connected(const std::string& name) {
    const auto data = golden(name);
    tally result;
    std::size_t left_out = 0;
    for (const json& one : data.cases) {
        if (has_wide_sums(one)) {
            ++left_out;
            continue;
        }
        const auto filter = one.at("filter_shape").get<shape>();
        const statiq::convolution_shape shape{.in = {1, 1, filter[1]}, .out = {1, 1, filter[0]}, .over = {}};
        const auto stored = data.values<std::int8_t>(one, "filter");
        const bool one_scale = one.at("filter_scale").size() == 1;
        compare_linear<T>(data, one, shape, {stored.begin(), stored.end()}, multipliers_of(one, one_scale), result);
    }
    result.check(data, left_out);
}

} // namespace

TEST_CASE("golden: conv2d") { compare_convolutions<std::int8_t>("ops/conv2d"); }
TEST_CASE("golden: conv2d_grouped") { compare_convolutions<std::int8_t>("ops/conv2d_grouped"); }
TEST_CASE("golden: conv2d_int16") { compare_convolutions<std::int16_t>("ops2/conv2d_int16"); }
TEST_CASE("golden: depthwise_conv2d") { compare_convolutions<std::int8_t>("ops/depthwise_conv2d", true); }
TEST_CASE("golden: fully_connected") { compare_fully_connected<std::int8_t>("ops/fully_connected"); }
TEST_CASE("golden: fully_connected_int16") { compare_fully_connected<std::int16_t>("ops2/fully_connected_int16"); }
