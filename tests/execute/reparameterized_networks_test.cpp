// SPDX-License-Identifier: Apache-2.0
// A merged network is, in integers too, the plain network of its convolutions: same layers, same integers, same bits.
#include <statiq/execute/model.hpp>
#include <statiq/networks/repvgg.hpp>

#include "../support/execution_laws.hpp"
#include "../support/random_sum.hpp"
#include <algorithm>

using namespace statiq;

namespace {

/// The convolution that a merged node is, as its user would have written it down.
template <node N>
constexpr auto written() {
    const auto after = [](int in, int out, int stride, int taps, int dilation, int before) {
        return std::max(0, (out - 1) * stride + (taps - 1) * dilation + 1 - in - before);
    };
    const window& w = N.over;
    return layer_from<layer_spec{
        .facts = &facts_of<operations::convolution>,
        .depthwise = N.is_depthwise(),
        .out_channels = N.is_depthwise() ? N.out.channels / N.in.channels : N.out.channels,
        .kernel_height = w.kernel_height,
        .kernel_width = w.kernel_width,
        .stride_height = w.stride_height,
        .stride_width = w.stride_width,
        .dilation_height = w.dilation_height,
        .dilation_width = w.dilation_width,
        .padding = padding_rule::sides,
        .pad_top = w.pad_top,
        .pad_bottom = after(N.in.height, N.out.height, w.stride_height, w.kernel_height, w.dilation_height, w.pad_top),
        .pad_left = w.pad_left,
        .pad_right = after(N.in.width, N.out.width, w.stride_width, w.kernel_width, w.dilation_width, w.pad_left),
        .groups = N.is_depthwise() ? 1 : N.groups,
        .bias = N.has_bias ? bias_rule::always : bias_rule::never}>;
}

template <int Seed>
struct plain_sum final
    : network<
          decltype(layer_from<layer_spec{.facts = &facts_of<operations::input>, .shape = support::draw_sum(Seed).in}> |
                   relu | named<"sum">(written<branches_merged<support::random_sum<Seed>>::nodes[2]>()) | relu)> {};

/// Both deployed, quantized and run; every layer's integers.
template <class Branched, class Plain, number_type Weight>
void check_same_bits(std::mt19937& random) {
    using activation_type = quantized<8, asymmetric>;
    using Q = numbers_chosen<deployed<Branched>, Weight, activation_type>;
    using P = numbers_chosen<deployed<Plain>, Weight, activation_type>;
    static_assert(node_count<Q> == node_count<P>);
    CHECK(std::equal(Q::nodes.begin(), Q::nodes.end(), P::nodes.begin()));

    const auto merged = deploy(support::random_parameters<Branched>(random));
    parameters<deployed<Plain>> plain; // the same weights
    plain.layers = merged.layers;
    const auto samples = support::random_inputs<Branched>(random, 3);
    auto merged_model = quantize<Weight, activation_type>(merged, calibrate(merged, samples));
    auto plain_model = quantize<Weight, activation_type>(plain, calibrate(plain, samples));
    CHECK(std::equal(merged_model.bytes().begin(), merged_model.bytes().end(), plain_model.bytes().begin(),
                     plain_model.bytes().end()));
    for (std::size_t s = 0; s < samples.size(); ++s) {
        std::vector<typename integer_network<Q>::input_type> input;
        for (const float value : samples[s])
            input.push_back(static_cast<typename integer_network<Q>::input_type>(
                quantize(value, merged_model.network().input_map(), Q::nodes[0].numbers.activation)));
        CHECK(support::run_seen(merged_model.network(), input) == support::run_seen(plain_model.network(), input));
    }
}

} // namespace

TEST_CASE("a merged sum runs as the convolution written in its place") {
    std::mt19937 random(81);
    support::for_each_random_sum<0, 10>([&]<int Seed>() {
        CAPTURE(Seed);
        check_same_bits<support::random_sum<Seed>, plain_sum<Seed>, quantized<8, symmetric, per_channel>>(random);
    });
    support::for_each_random_sum<10, 13>([&]<int Seed>() {
        CAPTURE(Seed);
        check_same_bits<support::random_sum<Seed>, plain_sum<Seed>, quantized<8, asymmetric>>(random);
    });
}

TEST_CASE("a small RepVGG runs as the plain network of 3 x 3 convolutions") {
    std::mt19937 random(82);
    using networks::plain_blocks;
    using networks::repvgg_small;
    check_same_bits<repvgg_small<>, repvgg_small<plain_blocks>, quantized<8, symmetric, per_channel>>(random);
    check_same_bits<repvgg_small<networks::qarepvgg_blocks>, repvgg_small<plain_blocks>, quantized<8, asymmetric>>(
        random);
}

TEST_CASE("merged networks keep the laws of execution") {
    std::mt19937 random(83);
    support::combination_tally results;
    support::for_each_random_sum<20, 24>([&]<int Seed>() {
        CAPTURE(Seed);
        support::check_network<support::random_sum<Seed>, quantized<8, symmetric, per_channel>,
                               quantized<8, asymmetric>>(random, results);
    });
    results.report();
}
