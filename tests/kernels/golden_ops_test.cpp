// SPDX-License-Identifier: Apache-2.0
// Kernels without weights, with the scheme `gemmlowp`, against TensorFlow Lite Micro's reference kernels, bit for bit:
// the scalar definition and this machine's vector path.
#include <statiq/execute/constants.hpp>
#include <statiq/kernels/add.hpp>
#include <statiq/kernels/concat.hpp>
#include <statiq/kernels/convert.hpp>
#include <statiq/kernels/mean.hpp>
#include <statiq/kernels/pool.hpp>
#include <statiq/kernels/reference/softmax.hpp>
#include <statiq/kernels/reference/softmax_primitives.hpp>
#include <statiq/kernels/reference/upsample.hpp>
#include <statiq/numeric/requantize.hpp>

#include <doctest/doctest.h>

#include "golden.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kernels = statiq::kernels;
namespace reference = statiq::kernels::reference;
using namespace kernel_test;
using statiq::gemmlowp;

namespace {

template <class T, class Pool>
void compare_pool(const std::string& name, Pool pool) {
    const auto data = golden(name);
    tally result;
    for (const json& one : data.cases) {
        const auto in = image_shape(one.at("input_shape"));
        reference::pool_arguments<T> arguments{
            .in = image_of(in),
            .out = image_of(image_shape(one.at("output_shape"))),
            .over = {.kernel_height = one.at("filter_h"),
                     .kernel_width = one.at("filter_w"),
                     .stride_height = one.at("stride_h"),
                     .stride_width = one.at("stride_w"),
                     .pad_top = one.at("pad_top"),
                     .pad_left = one.at("pad_left")},
            .lowest = one.at("activation_min"),
            .highest = one.at("activation_max"),
        };
        result.compare(data.values<T>(one, "output"), [&](auto arch, T* output) {
            for (std::size_t sample = 0; sample < static_cast<std::size_t>(in[0]); ++sample) {
                arguments.input = data.values<T>(one, "input").data() + sample * arguments.in.size();
                arguments.output = output + sample * arguments.out.size();
                pool(arguments, arch);
            }
        });
    }
    result.check(data);
}
const auto max_pool = [](const auto& arguments, auto arch) { kernels::max_pool(arguments, arch); };
const auto average_pool = [](const auto& arguments, auto arch) { kernels::average_pool(arguments, arch); };

/// Values in another order: those of the reduced axes first, as pixels, then the others, as channels.
template <class T>
std::vector<T> reduced_axes_first(std::span<const T> values, const shape& extents, const std::vector<bool>& reduced) {
    std::vector<T> result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::size_t rest = i;
        std::size_t pixel = 0;
        std::size_t channel = 0;
        std::size_t pixel_step = 1;
        std::size_t channel_step = 1;
        for (std::size_t axis = extents.size(); axis-- > 0;) {
            const auto extent = static_cast<std::size_t>(extents[axis]);
            std::size_t& place = reduced[axis] ? pixel : channel;
            std::size_t& step = reduced[axis] ? pixel_step : channel_step;
            place += rest % extent * step;
            step *= extent;
            rest /= extent;
        }
        result[pixel * channel_step + channel] = values[i];
    }
    return result;
}

template <class T>
void compare_mean(const std::string& name) {
    const auto data = golden(name);
    tally result;
    for (const json& one : data.cases) {
        const auto extents = one.at("input_shape").get<shape>();
        std::vector<bool> reduced(extents.size());
        std::size_t pixels = 1;
        for (int axis : one.at("axis").get<std::vector<int>>()) {
            const auto at = static_cast<std::size_t>(axis < 0 ? axis + static_cast<int>(extents.size()) : axis);
            if (!reduced[at]) pixels *= static_cast<std::size_t>(extents[at]);
            reduced[at] = true;
        }
        const auto factor = gemmlowp::prepare_mean(scale_ratio(one), static_cast<std::int64_t>(pixels));
        CHECK(factor == fixed_point_of(one, "folded_"));
        const auto input = reduced_axes_first(data.values<T>(one, "input"), extents, reduced);
        result.compare(data.values<T>(one, "output"), [&](auto arch, T* output) {
            kernels::mean<gemmlowp>(
                reference::mean_arguments<T, T, gemmlowp>{
                    .input = input.data(),
                    .in = {1, static_cast<int>(pixels), static_cast<int>(input.size() / pixels)},
                    .input_zero_point = one.at("input_zero_point"),
                    .factor = factor,
                    .output_zero_point = one.at("output_zero_point"),
                    .output = output},
                arch);
        });
    }
    result.check(data);
}

/// Sums, of broadcast tensors too, with the multipliers that are stored.
template <class T>
void compare_add(const std::string& name) {
    const auto data = golden(name);
    tally result;
    for (const json& one : data.cases) {
        const auto out = image_shape(one.at("output_shape"));
        const auto wanted = image_of(out);
        const auto expected = data.values<T>(one, "output");
        std::array<std::vector<T>, 2> whole;
        std::array<reference::add_input<T, gemmlowp>, 2> inputs;
        for (std::size_t k = 0; k < 2; ++k) {
            const std::string tensor = "input" + std::to_string(k + 1);
            const auto in = image_shape(one.at(tensor + "_shape"));
            whole[k].resize(expected.size());
            for (std::size_t sample = 0; sample < static_cast<std::size_t>(out[0]); ++sample)
                reference::broadcast(data.values<T>(one, tensor).data() +
                                         (in[0] == 1 ? 0U : sample) * image_of(in).size(),
                                     image_of(in), wanted, whole[k].data() + sample * wanted.size());
            inputs[k] = {whole[k].data(), one.at(tensor + "_zero_point").get<std::int32_t>(),
                         fixed_point_of(one, tensor + "_")};
        }
        result.compare(expected, [&](auto arch, T* output) {
            kernels::add(reference::add_arguments<T, T, gemmlowp>{.inputs = inputs,
                                                                  .size = expected.size(),
                                                                  .left_shift = one.at("left_shift"),
                                                                  .factor = fixed_point_of(one, "output_"),
                                                                  .output_zero_point = one.at("output_zero_point"),
                                                                  .lowest = one.at("activation_min"),
                                                                  .highest = one.at("activation_max"),
                                                                  .output = output},
                         arch);
        });
    }
    result.check(data);
}

/// The multipliers of our own preparation, for inputs of 8 bits. (Of 16 bits, TensorFlow Lite's sums have 15 bits of
/// fraction, and ours 12, which leaves room for eight inputs.)
void check_add_multipliers(const std::string& name) {
    for (const json& one : golden(name).cases) {
        const std::array<float, 2> scales{scale_of(one, "input1_scale"), scale_of(one, "input2_scale")};
        const auto factors = reference::prepare_add<gemmlowp>(scales, scale_of(one, "output_scale"), 8);
        CHECK(factors.left_shift == one.at("left_shift"));
        CHECK(factors.inputs[0] == fixed_point_of(one, "input1_"));
        CHECK(factors.inputs[1] == fixed_point_of(one, "input2_"));
        CHECK(factors.output == fixed_point_of(one, "output_"));
    }
}

/// Along any axis: what is before it counts pixels, what begins with it is a pixel's channels.
template <class T>
void compare_concatenation(const std::string& name) {
    const auto data = golden(name);
    tally result;
    for (const json& one : data.cases) {
        const auto out = one.at("output_shape").get<shape>();
        const auto shapes = one.at("input_shapes").get<std::vector<shape>>();
        const int axis = one.at("axis");
        const auto first = static_cast<std::size_t>(axis < 0 ? axis + static_cast<int>(out.size()) : axis);
        const auto image = [first](std::span<const int> extents) {
            return statiq::extents{1, static_cast<int>(size_of(extents.first(first))),
                                   static_cast<int>(size_of(extents.subspan(first)))};
        };
        result.compare(data.values<T>(one, "output"), [&](auto arch, T* output) {
            int channel = 0;
            for (std::size_t k = 0; k < shapes.size(); ++k) {
                const auto in = image(shapes[k]);
                kernels::concat(
                    reference::concat_arguments<T, T, gemmlowp>{
                        .input = data.values<T>(one, "input" + std::to_string(k)).data(),
                        .in = in,
                        .input_zero_point = one.at("zero_point"),
                        .factor = gemmlowp::prepare(1.0),
                        .output_zero_point = one.at("zero_point"),
                        .channels = image(out).channels,
                        .first_channel = channel,
                        .output = output},
                    arch);
                channel += in.channels;
            }
        });
    }
    result.check(data);
}

/// f(std::int8_t{}) of the type that a tensor holds. @return whether activations can have it
template <class F>
bool with_type(statiq::io::dtype stored, F&& f) {
    using statiq::io::dtype;
    if (stored == dtype::i8) return f(std::int8_t{}), true;
    if (stored == dtype::u8) return f(std::uint8_t{}), true;
    if (stored == dtype::i16) return f(std::int16_t{}), true;
    return false;
}

/// @return cases that convert from int32, which no activation is
std::size_t compare_conversions(const golden_cases& data, tally& result) {
    std::size_t left_out = 0;
    for (const json& one : data.cases) {
        const auto factor = gemmlowp::prepare(scale_ratio(one));
        CHECK(factor == fixed_point_of(one, ""));
        const bool in_covered = with_type(data.tensor(one, "input").dtype, [&]<class In>(In) {
            const bool out_covered = with_type(data.tensor(one, "output").dtype, [&]<class Out>(Out) {
                const auto input = data.values<In>(one, "input");
                result.compare(data.values<Out>(one, "output"), [&](auto arch, Out* output) {
                    kernels::requantize<gemmlowp>(
                        reference::requantize_arguments<In, Out, gemmlowp>{
                            .input = input.data(),
                            .size = input.size(),
                            .input_zero_point = one.at("input_zero_point"),
                            .factor = factor,
                            .output_zero_point = one.at("output_zero_point"),
                            .output = output},
                        arch);
                });
            });
            REQUIRE(out_covered);
        });
        left_out += in_covered ? 0U : 1U;
    }
    return left_out;
}

/// Softmax has no vector path of its own: the definition is what networks run.
void compare_softmax(const std::string& name) {
    const auto data = golden(name);
    tally result;
    for (const json& one : data.cases) {
        const auto parameters = reference::prepare_softmax(scale_of(one, "input_scale"), scale_of(one, "beta"));
        CHECK(parameters.multiplier == one.at("input_multiplier"));
        CHECK(parameters.left_shift == one.at("input_left_shift"));
        CHECK(parameters.lowest_difference == one.at("diff_min"));
        const auto input = data.values<std::int8_t>(one, "input");
        const int channels = one.at("shape").get<shape>().back();
        result.compare(data.values<std::int8_t>(one, "output"), [&](auto, std::int8_t* output) {
            reference::softmax(reference::softmax_arguments<std::int8_t, std::int8_t>{
                .input = input.data(),
                .in = {1, static_cast<int>(input.size()) / channels, channels},
                .parameters = parameters,
                .output = output});
        });
    }
    result.check(data);
}

/// Nearest neighbours in an image whose extents are whole multiples, where TensorFlow Lite's float scales are exact.
void compare_upsample(const std::string& name) {
    const auto data = golden(name);
    tally result;
    std::size_t left_out = 0;
    for (const json& one : data.cases) {
        const auto shape = image_shape(one.at("input_shape"));
        const auto in = image_of(shape);
        const auto out = image_of(image_shape(one.at("output_shape")));
        if (out.height % in.height != 0 || out.width % in.width != 0 || one.at("align_corners").get<bool>()) {
            ++left_out;
            continue;
        }
        result.compare(data.values<std::int8_t>(one, "output"), [&](auto, std::int8_t* output) {
            for (std::size_t sample = 0; sample < static_cast<std::size_t>(shape[0]); ++sample)
                reference::upsample(data.values<std::int8_t>(one, "input").data() + sample * in.size(), in, out,
                                    output + sample * out.size());
        });
    }
    result.check(data, left_out);
}

} // namespace

TEST_CASE("golden: max_pool2d") { compare_pool<std::int8_t>("ops/max_pool2d", max_pool); }
TEST_CASE("golden: max_pool2d_int16") { compare_pool<std::int16_t>("ops2/max_pool2d_int16", max_pool); }
TEST_CASE("golden: average_pool2d") { compare_pool<std::int8_t>("ops/average_pool2d", average_pool); }
TEST_CASE("golden: average_pool2d_int16") { compare_pool<std::int16_t>("ops2/average_pool2d_int16", average_pool); }

TEST_CASE("golden: mean") { compare_mean<std::int8_t>("ops/mean"); }
TEST_CASE("golden: mean_axes_int8") { compare_mean<std::int8_t>("ops2/mean_axes_int8"); }
TEST_CASE("golden: mean_int16") { compare_mean<std::int16_t>("ops2/mean_int16"); }

TEST_CASE("golden: add") { compare_add<std::int8_t>("ops/add"); }
TEST_CASE("golden: add_broadcast") { compare_add<std::int8_t>("ops/add_broadcast"); }
TEST_CASE("golden: the multipliers of sums") {
    check_add_multipliers("ops/add");
    check_add_multipliers("ops/add_broadcast");
}
TEST_CASE("golden: add_int16") { compare_add<std::int16_t>("ops2/add_int16"); }

TEST_CASE("golden: concatenation_int8") { compare_concatenation<std::int8_t>("ops2/concatenation_int8"); }
TEST_CASE("golden: concatenation_int16") { compare_concatenation<std::int16_t>("ops2/concatenation_int16"); }

TEST_CASE("golden: requantize") {
    const auto data = golden("ops/requantize");
    tally result;
    result.check(data, compare_conversions(data, result));
}
TEST_CASE("golden: quantize_int16_int32") {
    const auto data = golden("ops2/quantize_int16_int32");
    tally result;
    result.check(data, compare_conversions(data, result));
}

TEST_CASE("golden: softmax") { compare_softmax("ops/softmax"); }
TEST_CASE("golden: softmax_nd_int8") { compare_softmax("ops2/softmax_nd_int8"); }

TEST_CASE("golden: resize_nearest_neighbor_int8") { compare_upsample("ops2/resize_nearest_neighbor_int8"); }

TEST_CASE("golden: softmax_primitives") {
    const auto tensors = statiq::io::read_safetensors(test_data::golden() / "ops/softmax_primitives.safetensors");
    const auto values = [&tensors](const char* name) { return tensors.at(name).values<std::int32_t>(); };
    const auto exponents = values("exp_q5_26.in");
    const auto sums = values("reciprocal12.in");
    REQUIRE(!exponents.empty());
    REQUIRE(!sums.empty());
    for (std::size_t i = 0; i < exponents.size(); ++i)
        REQUIRE(reference::exp_on_negative_values(exponents[i]) == values("exp_q5_26.out")[i]);
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const auto [value, shift] = reference::reciprocal(sums[i], 12);
        REQUIRE(value == values("reciprocal12.out")[i]);
        REQUIRE(shift == values("reciprocal12.num_bits_over_unit")[i]);
    }
}
