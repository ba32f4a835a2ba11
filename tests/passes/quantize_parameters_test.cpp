// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/quantize_parameters.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <random>
#include <set>
#include <string_view>
#include <vector>

using namespace statiq;

namespace {

using byte = quantized<8, asymmetric>;

/// A real as its integer and map stand for it: within half a step, and the roundings of the float division and of the
/// scale, 2^-24 each, of a quotient of at most 2^bits steps.
bool is_nearest(float real, std::int32_t q, const affine& map, const number_format& format) {
    const double step = static_cast<double>(map.scale);
    const double slack = step * std::exp2(format.bits - 22);
    return q >= format.lowest && q <= format.highest &&
           std::abs(static_cast<double>(real) - step * (q - map.zero_point)) <= 0.5 * step + slack;
}

const std::set<std::string_view> keeping{"max_pool", "average_pool", "reshape",  "transpose",
                                         "pad",      "broadcast",    "upsample", "clamp"};

/// The output channel of a weight in natural order.
std::size_t channel_of(const node& n, std::size_t w, std::size_t weights) {
    const auto channels = static_cast<std::size_t>(n.out.channels);
    return n.is_depthwise() ? w % channels : w / (weights / channels);
}

template <graph_type Net, class Weight, class Activation>
void check_parameters(std::mt19937& random) {
    using D = deployed<Net>;
    using Q = numbers_chosen<D, Weight, Activation>;
    const auto from = deploy(support::random_parameters<Net>(random));
    const auto ranges = calibrate(from, support::random_inputs<Net>(random, 3));
    const auto to = quantize_parameters<Q>(from, ranges);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < node_count<Q>; ++i) {
        const node& n = Q::nodes[i];
        const auto before = static_cast<std::size_t>(std::max(n.input(), 0));
        const bool keeps = keeping.contains(n.facts->word);
        if (keeps)
            CHECK(to[i].output == to[before].output);
        else if (n.facts->word == "softmax")
            CHECK(to[i].output == affine{1.0F / 256, n.numbers.activation.lowest});
        else
            CHECK(to[i].output == choose_affine(Activation::format, ranges[i]));
        if (!n.is_linear()) {
            CHECK(to[i].weight.empty());
            CHECK(to[i].bias.empty());
            continue;
        }
        const auto channels = static_cast<std::size_t>(n.out.channels);
        const std::size_t weights = from[i].weight.size();
        REQUIRE(to[i].weight.size() == weights);
        REQUIRE(to[i].weight_map.size() == channels);
        REQUIRE(to[i].bias.size() == channels);
        std::vector<float> largest(channels, 0.0F);
        for (std::size_t w = 0; w < weights; ++w) {
            const std::size_t c = channel_of(n, w, weights);
            largest[c] = std::max(largest[c], std::abs(from[i].weight[w]));
            if (!is_nearest(from[i].weight[w], to[i].weight[w], to[i].weight_map[c], Weight::format)) ++wrong;
        }
        if constexpr (Weight::format.per == granularity::tensor)
            CHECK(std::equal(to[i].weight_map.begin() + 1, to[i].weight_map.end(), to[i].weight_map.begin()));
        if constexpr (Weight::format.per == granularity::channel && !Weight::format.has_zero_point)
            for (std::size_t c = 0; c < channels; ++c)
                CHECK(to[i].weight_map[c] == affine{largest[c] / static_cast<float>(Weight::format.highest), 0});
        // TensorFlow Lite's converter multiplies by the inverse of the scale, which has a rounding of its own.
        if constexpr (Weight::format.per == granularity::channel && !Weight::format.has_zero_point)
            for (std::size_t w = 0; w < weights; ++w) {
                const float inverse = static_cast<float>(Weight::format.highest) / largest[channel_of(n, w, weights)];
                if (to[i].weight[w] != static_cast<std::int32_t>(std::round(from[i].weight[w] * inverse))) ++wrong;
            }
        for (std::size_t c = 0; c < channels; ++c) {
            const double step =
                static_cast<double>(to[before].output.scale) * static_cast<double>(to[i].weight_map[c].scale);
            const double real = n.has_bias ? static_cast<double>(from[i].bias[c]) : 0.0;
            // Quantized in double: half a step, and what double leaves of 2^31 steps.
            if (!(std::abs(real - step * to[i].bias[c]) <= 0.5 * step * (1 + 0x1p-20))) ++wrong;
        }
    }
    CHECK(wrong == 0);
}

} // namespace

TEST_CASE("weights are within half a step, biases at scale s_x s_w, and pass-through nodes keep their maps") {
    std::mt19937 random(81);
    support::for_each_random_network<0, 8>([&]<class Net>() {
        check_parameters<Net, quantized<8, symmetric, per_channel>, byte>(random);
        check_parameters<Net, quantized<8, asymmetric>, quantized<8, asymmetric_signed>>(random);
    });
    support::for_each_random_network<8, 16, true>([&]<class Net>() {
        check_parameters<Net, quantized<4>, quantized<6, asymmetric>>(random);
        check_parameters<Net, quantized<5, asymmetric_signed, per_channel>, byte>(random);
    });
}

namespace {
struct mixed final : network<decltype(input<4, 4, 2> | named<"a">(conv<3>) | with<float32>(named<"b">(conv<2>) | relu) |
                                      named<"c">(conv<4>))> {};
} // namespace

TEST_CASE("float layers keep their parameters, and conversions take the range of what they convert") {
    std::mt19937 random(82);
    using D = deployed<mixed>;
    using Q = numbers_chosen<D, quantized<8>, byte>;
    const auto from = deploy(support::random_parameters<mixed>(random));
    const node_ranges<D> ranges{{{-1, 1}, {-2, 2}, {0, 3}, {-4, 4}}};
    const auto to = quantize_parameters<Q>(from, ranges);
    const auto at = [](const char* name) { return static_cast<std::size_t>(find_node<Q>(name)); };
    REQUIRE(node_count<Q> == 6);
    CHECK(to[at("b")].floating == from[2]);
    CHECK(to[at("b")].weight.empty());
    CHECK(to[at("a")].floating == layer_parameters{});
    CHECK(to[at("b.quantized")].output == choose_affine(byte::format, {0, 3}));
    CHECK(to[at("c")].output == choose_affine(byte::format, {-4, 4}));
}

namespace {
struct dead_channel final : network<decltype(input<3, 3, 2> | conv<3>(kernel<3>))> {};

/// Whether each channel's integers stand for its weights and its bias. A bias takes at most 2^31 steps: rounding the
/// scale that makes it fit to float may cost 2^-24 of it.
template <class Weight, class Activation>
void check_channels(const parameters<deployed<dead_channel>>& from, range of_input) {
    using Q = numbers_chosen<deployed<dead_channel>, Weight, Activation>;
    const auto to = quantize_parameters<Q>(from, {{of_input, {-1, 1}}});
    for (std::size_t c = 0; c < 3; ++c) {
        const affine& map = to[1].weight_map[c];
        const double step = static_cast<double>(to[0].output.scale) * static_cast<double>(map.scale);
        const auto bias = static_cast<double>(from[1].bias[c]);
        CHECK(std::abs(step * to[1].bias[c] - bias) <= 0.5 * step + 0x1p-23 * std::abs(bias));
        for (std::size_t w = 18 * c; w < 18 * (c + 1); ++w)
            CHECK(is_nearest(from[1].weight[w], to[1].weight[w], map, Weight::format));
    }
}
} // namespace

namespace {
struct one_weight final : network<decltype(input<1, 1, 1> | pointwise<1>)> {};

/// The layer's integers for one weight and its bias, 8 bits, where the input's integers are `input_scale` apart.
quantized_layer of_one_weight(float weight, float bias, float input_scale) {
    using Q = numbers_chosen<deployed<one_weight>, quantized<8, symmetric, per_channel>, byte>;
    parameters<deployed<one_weight>> from;
    from[1].weight = {weight};
    from[1].bias = {bias};
    return quantize_parameters<Q>(from, {{{0, 255 * input_scale}, {-1, 1}}})[1];
}
} // namespace

TEST_CASE("a bias takes half of int32 at most, and the weights' scale gives way") {
    // Of weight 2^-25 alone the scale would be 2^-25 / 127, and the bias 127 2^25 steps. With 2^30 steps for a bias of
    // 1 the scale is 2^-30: the weight is 2^-25 / 2^-30 = 32.
    const quantized_layer half = of_one_weight(0x1p-25F, 1.0F, 1.0F);
    CHECK(half.weight_map[0] == affine{0x1p-30F, 0});
    CHECK(half.bias[0] == 1 << 30);
    CHECK(half.weight[0] == 32);
    // A bias of exactly 2^30 steps needs nothing: 127 2^-30 by its own scale 2^-30.
    const quantized_layer just = of_one_weight(127 * 0x1p-30F, -1.0F, 1.0F);
    CHECK(just.weight_map[0] == affine{0x1p-30F, 0});
    CHECK(just.bias[0] == -(1 << 30));
    CHECK(just.weight[0] == 127);
}

TEST_CASE("a bias is clamped to its half of int32, however its scale was rounded") {
    // 1 / (3 2^30) = 2^-32 4/3: the scale's float is 2^-32 0x1.555554 (from 127 times as much, rounded, by 127), less
    // than that by 2^-24 of it. 1 / (3 scale) is thus 2^30 (1 + 2^-24) = 2^30 + 64.
    const quantized_layer clamped = of_one_weight(0.0F, 1.0F, 3.0F);
    CHECK(clamped.weight_map[0] == affine{0x1.555554p-32F, 0});
    CHECK(quantize_bias(1.0, 3.0 * 0x1.555554p-32) == (1 << 30) + 64);
    CHECK(clamped.bias[0] == 1 << 30);
    CHECK(of_one_weight(0.0F, -1.0F, 3.0F).bias[0] == -(1 << 30));
}

TEST_CASE("weights are multiplied by the inverse of their scale, not divided by it") {
    // The greatest weight is 1: the inverse is 127 / 1, exactly. The float below 4.5 / 127 times 127 is 4.4999995,
    // and 4. The scale, 1 / 127 as a float, is 0x1.020408p-7, less than 1 / 127 by 6e-8 of it: the quotient is greater
    // by as much, rounded to 4.5, and 5.
    struct two final : network<decltype(input<1, 1, 2> | pointwise<1>)> {};
    using Q = numbers_chosen<deployed<two>, quantized<8, symmetric, per_channel>, byte>;
    parameters<deployed<two>> from;
    const float weight = 0x1.224488p-5F;
    from[1].weight = {1.0F, weight};
    from[1].bias = {0.0F};
    const auto to = quantize_parameters<Q>(from, {{{0, 1}, {0, 1}}});
    CHECK(to[1].weight_map[0] == affine{0x1.020408p-7F, 0});
    CHECK(weight / 0x1.020408p-7F == 4.5F);
    CHECK(to[1].weight == std::vector<std::int32_t>{127, 4});
}

TEST_CASE("a channel whose weights training has all but removed keeps its bias") {
    std::mt19937 random(83);
    auto from = deploy(support::random_parameters<dead_channel>(random));
    from[1].bias = {0.75F, -0.5F, 0.25F};
    for (std::size_t w = 18; w < 36; ++w) from[1].weight[w] *= 1e-20F;
    check_channels<quantized<8, symmetric, per_channel>, byte>(from, {-1, 1});
    check_channels<quantized<8, asymmetric, per_channel>, byte>(from, {-1, 1});
    check_channels<quantized<8, asymmetric_signed, per_channel>, quantized<8, asymmetric_signed>>(from, {0, 6});
    for (float& w : from[1].weight) w *= 1e-20F; // the whole layer
    check_channels<quantized<8>, byte>(from, {-1, 1});
    check_channels<quantized<8, asymmetric>, byte>(from, {-1, 1});
    for (float& w : from[1].weight) w = 0;
    check_channels<quantized<8, symmetric, per_channel>, byte>(from, {-1, 1});
}
