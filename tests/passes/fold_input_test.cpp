// SPDX-License-Identifier: Apache-2.0
#define STATIQ_HEADER_KERNELS // for convolutions from unsigned to signed bytes, which statiq::compiled lacks

#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/simulate/simulated_network.hpp>

#include <doctest/doctest.h>

#include "../support/random_parameters.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

using namespace statiq;

namespace {

using colours = byte_image<channel_deviations<58.395, 57.12, 57.375>, channel_means<123.675, 116.28, 103.53>>;
using around_114 = byte_image<channel_means<114.0>, channel_deviations<58.395, 57.12, 57.375>>;
static_assert(colours::values.zero_point() == 114); // (103.53 + 123.675) / 2 = 113.6
static_assert(byte_image<channel_means<127.5>>::values.zero_point() == 128);
static_assert(byte_image<channel_means<-3.0>>::values.zero_point() == 0);
static_assert(byte_image<channel_means<300.0>>::values.zero_point() == 255);

constexpr auto body_of_valid = [] { return input<7, 6, 3> | conv<5>(kernel<3>, stride<2>, valid); };
constexpr auto body_of_same = [] { return input<7, 6, 3> | conv<5>(kernel<3>); };
constexpr auto body_of_depthwise = [] { return input<7, 6, 3> | depthwise(kernel<3, 2>, dilation<2>); };
constexpr auto body_of_groups = [] { return input<5, 5, 3> | pad<1, 0, 2, 1> | conv<6>(kernel<2>, valid, groups<3>); };
constexpr auto body_of_dense = [] { return input<3, 4, 3> | flatten | dense<4>; };
constexpr auto body_of_rows = [] { return input<4, 4, 3> | reshape<4, 2, 6> | conv<4>(kernel<2>, valid); };
constexpr auto body_of_branches = [] {
    return input<6, 6, 3> | add(pointwise<4> | relu, conv<4>(kernel<3>) | relu) | global_average_pool | dense<3>;
};

template <class Body>
struct net final : network<Body> {};

template <class Values>
float real_of(const Values& values, std::uint8_t byte, std::size_t channel) {
    const int c = static_cast<int>(channel);
    return static_cast<float>((byte - static_cast<double>(values.mean.of(c))) /
                              static_cast<double>(values.deviation.of(c)));
}

std::vector<std::uint8_t> random_bytes(std::mt19937& random, std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

/// The first linear layer's outputs on reals x by its definition in double, and the sums of its products' magnitudes.
struct layer_sums {
    std::vector<double> values;
    std::vector<double> magnitudes;
};
template <class Real>
layer_sums sums_of_layer(const convolution_shape& s, const layer_parameters& from, Real x) {
    layer_sums result;
    for (int y = 0; y < s.out.height; ++y)
        for (int column = 0; column < s.out.width; ++column)
            for (int o = 0; o < s.out.channels; ++o) {
                double sum = from.bias.empty() ? 0.0 : static_cast<double>(from.bias[static_cast<std::size_t>(o)]);
                double magnitude = std::abs(sum);
                for (int tap = 0; tap < s.over.taps(); ++tap)
                    for (int k = 0; k < s.in_channels_per_group(); ++k) {
                        const int row = y * s.over.stride_height - s.over.pad_top +
                                        tap / s.over.kernel_width * s.over.dilation_height;
                        const int at = column * s.over.stride_width - s.over.pad_left +
                                       tap % s.over.kernel_width * s.over.dilation_width;
                        if (row < 0 || row >= s.in.height || at < 0 || at >= s.in.width) continue;
                        const int c = o / s.out_channels_per_group() * s.in_channels_per_group() + k;
                        const double product = static_cast<double>(from.weight[s.weight_index(o, tap, k)]) *
                                               x((row * s.in.width + at) * s.in.channels + c);
                        sum += product;
                        magnitude += std::abs(product);
                    }
                result.values.push_back(sum);
                result.magnitudes.push_back(magnitude);
            }
    return result;
}

/// Where a value of the image stands in what a layer reads, a node before it that may be a pad.
std::size_t place_behind(const node& before, std::size_t value) {
    if (!before.is<operations::pad>()) return value;
    const auto width = static_cast<std::size_t>(before.in.width);
    const auto channels = static_cast<std::size_t>(before.in.channels);
    const std::size_t row = value / channels / width + static_cast<std::size_t>(before.over.pad_top);
    const std::size_t column = value / channels % width + static_cast<std::size_t>(before.over.pad_left);
    return (row * static_cast<std::size_t>(before.out.width) + column) * channels + value % channels;
}

/// A layer on bytes gives what the layer on their reals gives, but for the roundings of float: with u = 2^-24, n
/// products and a bias summed in float move by at most (n + 1) u / (1 - (n + 1) u) of the sum of magnitudes; each
/// weight is rounded once, and the bias once.
template <class Bytes, class Net>
void check_folded(unsigned seed) {
    using G = deployed<Net>;
    std::mt19937 random(seed);
    const parameters<G> from = deploy(support::random_parameters<Net>(random));
    const auto folded = fold_input<Bytes>(from);
    float_network<input_folded<G, Bytes>> network(folded);
    constexpr std::size_t at = node_count<G> - 1;
    const convolution_shape shape = G::nodes[at].convolution();
    constexpr double u = 1.0 / (1 << 24);
    constexpr int zero = Bytes::values.zero_point();
    for (int repeat = 0; repeat < 20; ++repeat) {
        const auto bytes = random_bytes(random, input_extents<G>.size());
        std::vector<float> shifted;
        for (const int byte : bytes) shifted.push_back(static_cast<float>(byte - zero));
        const auto found = network.run(shifted);
        std::vector<double> reals(shape.in.size(), 0.0);
        std::vector<double> moved(shape.in.size(), 0.0);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const std::size_t to = place_behind(G::nodes[at - 1], i);
            const int c = static_cast<int>(i % 3);
            reals[to] = (bytes[i] - static_cast<double>(Bytes::values.mean.of(c))) /
                        static_cast<double>(Bytes::values.deviation.of(c));
            moved[to] = bytes[i] - zero;
        }
        const auto expected = sums_of_layer(shape, from[at], [&](int i) { return reals[static_cast<std::size_t>(i)]; });
        const auto computed =
            sums_of_layer(shape, folded[at], [&](int i) { return moved[static_cast<std::size_t>(i)]; });
        const double n = shape.reduction() + 1;
        for (std::size_t i = 0; i < expected.values.size(); ++i) {
            const double bias = std::abs(static_cast<double>(folded[at].bias[i % folded[at].bias.size()]));
            const double bound = n * u / (1 - n * u) * computed.magnitudes[i] + u * expected.magnitudes[i] + u * bias;
            CHECK(std::abs(static_cast<double>(found[i]) - expected.values[i]) <= bound);
        }
    }
}

using weight = quantized<8, symmetric, per_channel>;
using byte = quantized<8, asymmetric>;

} // namespace

TEST_CASE("layers on bytes compute what they did of the reals that the bytes stand for") {
    check_folded<colours, net<decltype(body_of_valid)>>(1);
    check_folded<colours, net<decltype(body_of_dense)>>(2);
    check_folded<colours, net<decltype(body_of_rows)>>(3);
    check_folded<around_114, net<decltype(body_of_same)>>(4);
    check_folded<around_114, net<decltype(body_of_depthwise)>>(5);
    check_folded<around_114, net<decltype(body_of_groups)>>(6);
}

TEST_CASE("one weight on one byte") {
    // x = (byte - 100) / 4, y = 3 x + 2: on bytes less 100 the weight is 0.75, and the bias stays.
    constexpr auto body = [] { return input<1, 1, 1> | dense<1>; };
    using G = deployed<net<decltype(body)>>;
    parameters<G> from;
    from[1].weight = {3.0F};
    from[1].bias = {2.0F};
    const auto check = [](const layer_parameters& folded, float expected_weight, float expected_bias) {
        CHECK(folded.weight == std::vector{expected_weight});
        CHECK(folded.bias == std::vector{expected_bias});
    };
    check(fold_input<byte_image<channel_means<100.0>, channel_deviations<4.0>>>(from)[1], 0.75F, 2.0F);
    // A mean of 100.5: the zero point is 101, and 0.75 * (101 - 100.5) goes to the bias.
    check(fold_input<byte_image<channel_means<100.5>, channel_deviations<4.0>>>(from)[1], 0.75F, 2.375F);
}

TEST_CASE("a model that takes bytes gives the bits of one that quantizes the reals they stand for") {
    using G = deployed<net<decltype(body_of_branches)>>;
    using whole = byte_image<channel_means<100.0>, channel_deviations<64.0>>;
    std::mt19937 random(7);
    const auto from = deploy(support::random_parameters<net<decltype(body_of_branches)>>(random));
    auto ranges = calibrate(from, support::random_inputs<G>(random, 8));
    // A deviation that is a power of two scales exactly, and a mean that is a byte is a zero point: the model of the
    // unfolded network is the same, multiplier by multiplier.
    ranges[0] = {-100.0F / 64, 155.0F / 64};
    auto plain = quantize<weight, byte>(from, ranges);
    auto folded = quantize<whole, weight, byte>(from, ranges);
    CHECK(folded.network().input_map() == affine{1, 100});
    CHECK(plain.network().input_map() == affine{1.0F / 64, 100});
    for (int repeat = 0; repeat < 50; ++repeat) {
        const auto image = random_bytes(random, input_extents<G>.size());
        std::vector<float> reals;
        std::vector<float> distances;
        for (std::size_t i = 0; i < image.size(); ++i) {
            reals.push_back(real_of(whole::values, image[i], i % 3));
            distances.push_back(static_cast<float>(image[i] - 100));
        }
        const auto found = folded(image);
        CHECK(found == plain(reals));
        CHECK(found == folded(distances));
        const auto integers = folded.network().run(image);
        for (std::size_t o = 0; o < found.size(); ++o)
            CHECK(found[o] == dequantize(integers[o], folded.network().output_map()));
    }
}

TEST_CASE("bytes go into networks of other activations, and simulations of them agree") {
    using G = deployed<net<decltype(body_of_branches)>>;
    using bytes = byte_image<channel_means<114.0>, channel_deviations<58.395, 57.12, 57.375>>;
    std::mt19937 random(8);
    const auto from = deploy(support::random_parameters<net<decltype(body_of_branches)>>(random));
    const auto ranges = calibrate(from, support::random_inputs<G>(random, 8));
    const auto check = [&]<class Activation>(std::type_identity<Activation>) {
        auto model = quantize<weight, Activation, bytes>(from, ranges);
        using Q = typename decltype(model)::graph;
        simulated_network<Q> simulated(quantize_parameters<Q>(fold_input<bytes>(from), fold_input<bytes>(ranges)));
        for (int repeat = 0; repeat < 20; ++repeat) {
            const auto image = random_bytes(random, input_extents<G>.size());
            std::vector<float> distances;
            for (const int byte_of_image : image) distances.push_back(static_cast<float>(byte_of_image - 114));
            const auto found = model(image);
            CHECK(found == model(distances));
            const auto predicted = simulated.run(distances);
            for (std::size_t o = 0; o < found.size(); ++o)
                CHECK(std::abs(std::lround((found[o] - predicted[o]) / model.network().output_map().scale)) <= 1);
        }
    };
    check(std::type_identity<byte>{});
    check(std::type_identity<quantized<8, asymmetric_signed>>{});
    check(std::type_identity<quantized<16, symmetric>>{});
}

TEST_CASE("nearest padding costs what padding_error says") {
    using nearly =
        byte_image<channel_means<123.675, 116.28, 103.53>, channel_deviations<58.395, 57.12, 57.375>, nearest_padding>;
    using Net = net<decltype(body_of_same)>;
    using G = deployed<Net>;
    std::mt19937 random(9);
    const auto from = deploy(support::random_parameters<Net>(random));
    CHECK(padding_error<around_114>(from) == 0);
    const auto folded = fold_input<nearly>(from);
    const convolution_shape shape = G::nodes[1].convolution();
    const auto image = random_bytes(random, input_extents<G>.size());
    const auto reals = sums_of_layer(shape, from[1], [&](int i) {
        const auto at = static_cast<std::size_t>(i);
        const int c = i % 3;
        return (image[at] - static_cast<double>(nearly::values.mean.of(c))) /
               static_cast<double>(nearly::values.deviation.of(c));
    });
    const auto bytes =
        sums_of_layer(shape, folded[1], [&](int i) { return image[static_cast<std::size_t>(i)] - 114.0; });
    double greatest = 0;
    for (std::size_t i = 0; i < reals.values.size(); ++i)
        greatest = (std::max)(greatest, std::abs(reals.values[i] - bytes.values[i]));
    // The two are in double, of weights and biases that were rounded to float.
    CHECK(padding_error<nearly>(from) == doctest::Approx(greatest).epsilon(1e-4));
    CHECK(greatest > 0.01);
}
