// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/networks/visual_wake_words.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace statiq;
using networks::mobilenet_v1;
using networks::mobilenet_v1_friendly;

namespace {

template <graph_type G>
constexpr std::int64_t normalized_channels() {
    std::int64_t channels = 0;
    for (const node& n : G::nodes)
        if (n.is<operations::batch_norm>()) channels += n.out.channels;
    return channels;
}

template <graph_type G>
const node& at(const std::string& name) {
    const int index = find_node<G>(name);
    REQUIRE_MESSAGE(index >= 0, name);
    return G::nodes[static_cast<std::size_t>(index)];
}

/// P1 table 2: one row each for the depthwise and the pointwise convolution of blocks 1 to 13.
struct row {
    int stride, extent, in, out; ///< extent: of the depthwise convolution's input at 224
};
constexpr row table_2[] = {{1, 112, 32, 64},  {2, 112, 64, 128}, {1, 56, 128, 128}, {2, 56, 128, 256},
                           {1, 28, 256, 256}, {2, 28, 256, 512}, {1, 14, 512, 512}, {1, 14, 512, 512},
                           {1, 14, 512, 512}, {1, 14, 512, 512}, {1, 14, 512, 512}, {2, 14, 512, 1024},
                           {1, 7, 1024, 1024}};

template <graph_type G>
void check_layer_table() {
    CHECK(input_extents<G> == extents{224, 224, 3});
    const node& first = at<G>("conv0");
    CHECK(first.over.taps() == 9);
    CHECK(first.over.stride_height == 2);
    CHECK(first.out == extents{112, 112, 32});
    int index = 0;
    for (const row& block : table_2) {
        const std::string number = std::to_string(++index);
        CAPTURE(number);
        const node& dw = at<G>("dw" + number);
        CHECK(dw.is_depthwise());
        CHECK(dw.over.taps() == 9);
        CHECK(dw.over.stride_height == block.stride);
        CHECK(dw.over.stride_width == block.stride);
        CHECK(dw.in == extents{block.extent, block.extent, block.in});
        const node& pw = at<G>("pw" + number);
        const int out_extent = block.extent / block.stride;
        CHECK(pw.over.taps() == 1);
        CHECK(pw.groups == 1);
        CHECK(pw.in == extents{out_extent, out_extent, block.in});
        CHECK(pw.out == extents{out_extent, out_extent, block.out});
    }
    CHECK(find_node<G>("dw14") == -1);
    CHECK(at<G>("global_average_pool").in == extents{7, 7, 1024});
    CHECK(at<G>("fc").in.channels == 1024);
    CHECK(output_extents<G> == extents{1, 1, 1000});
}

} // namespace

// ---- MobileNetV1 1.0, 224 x 224 ----------------------------------------------------------------------------------

static_assert(parameter_count<mobilenet_v1<>> == 4'231'976);
static_assert(normalized_channels<mobilenet_v1<>>() == 5'984 + 4'960);
static_assert(parameter_count<mobilenet_v1<>> - 2 * normalized_channels<mobilenet_v1<>>() == 4'210'088);
static_assert(multiply_accumulates<mobilenet_v1<>> / 10'000 == 56'874); // 568.74 million

// The friendly variant drops the depthwise layers' batch norm, and computes the same products.
static_assert(parameter_count<mobilenet_v1_friendly<>> == 4'231'976 - 2 * 4'960);
static_assert(normalized_channels<mobilenet_v1_friendly<>>() == 5'984);
static_assert(multiply_accumulates<mobilenet_v1_friendly<>> == multiply_accumulates<mobilenet_v1<>>);

// ---- other widths and resolutions --------------------------------------------------------------------------------

// P2 table 1 counts moving statistics too: 0.47 and 4.25 million parameters.
template <graph_type G>
constexpr std::int64_t with_statistics = parameter_count<G> + 2 * normalized_channels<G>();
static_assert(with_statistics<mobilenet_v1<25, 128>> / 10'000 == 47);
static_assert(with_statistics<mobilenet_v1<>> / 10'000 == 425);
// Howard et al., tables 6 and 7, in millions: 325, 149 and 41 products at widths 0.75, 0.5 and 0.25; 418, 290 and 186
// at resolutions 192, 160 and 128; 2.6, 1.3 and 0.5 million parameters.
static_assert(multiply_accumulates<mobilenet_v1<75>> / 1'000'000 == 325);
static_assert(multiply_accumulates<mobilenet_v1<50>> / 1'000'000 == 149);
static_assert(multiply_accumulates<mobilenet_v1<25>> / 1'000'000 == 41);
static_assert(multiply_accumulates<mobilenet_v1<100, 192>> / 1'000'000 == 418);
static_assert(multiply_accumulates<mobilenet_v1<100, 160>> / 1'000'000 == 290);
static_assert(multiply_accumulates<mobilenet_v1<100, 128>> / 1'000'000 == 186);
static_assert((parameter_count<mobilenet_v1<75>> + 50'000) / 100'000 == 26);
static_assert((parameter_count<mobilenet_v1<50>> + 50'000) / 100'000 == 13);
static_assert((parameter_count<mobilenet_v1<25>> + 50'000) / 100'000 == 5);
// Parameters do not depend on the resolution.
static_assert(parameter_count<mobilenet_v1<50, 160>> == parameter_count<mobilenet_v1<50, 224>>);

// MLPerf Tiny's visual wake words, as Keras counts it.
static_assert(with_statistics<networks::visual_wake_words> == 221'794);

TEST_CASE("MobileNetV1 is the network of P1's table 2") {
    check_layer_table<mobilenet_v1<>>();
    check_layer_table<mobilenet_v1_friendly<>>();
}

TEST_CASE("the original block normalizes and clamps after both convolutions") {
    using net = mobilenet_v1<>;
    const int dw = find_node<net>("dw5");
    CHECK(find_node<net>("dw5.bn") == dw + 1);
    CHECK(find_node<net>("dw5.relu6") == dw + 2);
    CHECK(find_node<net>("pw5") == dw + 3);
    CHECK(find_node<net>("pw5.bn") == dw + 4);
    CHECK(find_node<net>("pw5.relu6") == dw + 5);
    CHECK_FALSE(at<net>("dw5").has_bias);
    CHECK_FALSE(at<net>("pw5").has_bias);
    CHECK(at<net>("fc").has_bias);
    CHECK(find_node<net>("conv0.relu6") == 3);
}

TEST_CASE("the friendly block has nothing between depthwise and pointwise, and no ReLU6") {
    using net = mobilenet_v1_friendly<>;
    CHECK(find_node<net>("pw5") == find_node<net>("dw5") + 1);
    CHECK(find_node<net>("pw5.relu") == find_node<net>("pw5.bn") + 1);
    CHECK_FALSE(at<net>("dw5").has_bias);
    for (const node& n : net::nodes) CHECK(n.word() != "relu6");
    // Deployed, no activation follows a depthwise convolution, and its bias, which only batch norm would bring, is
    // none.
    for (const node& n : deployed<net>::nodes) {
        if (!n.is_depthwise()) continue;
        CHECK(!n.has_fused_clamp());
        CHECK_FALSE(n.has_bias);
    }
}

TEST_CASE("deployed, 28 layers compute") {
    int linear = 0;
    for (const node& n : deployed<mobilenet_v1<>>::nodes) linear += n.is_linear();
    CHECK(linear == 28);
    CHECK(node_count<deployed<mobilenet_v1<>>> == 30); // and the input and the mean
    CHECK(parameter_count<deployed<mobilenet_v1<>>> == 4'210'088 + 5'984 + 4'960);
}

TEST_CASE("visual wake words") {
    using net = networks::visual_wake_words;
    CHECK(input_extents<net> == extents{96, 96, 3});
    CHECK(output_extents<net> == extents{1, 1, 2});
    CHECK(at<net>("conv0").out == extents{48, 48, 8});
    CHECK(at<net>("pw13").out == extents{3, 3, 256});
    CHECK(at<net>("dw1").has_bias);
    for (const node& n : net::nodes) CHECK(n.word() != "relu6");
}

TEST_CASE("digits") {
    using net = networks::digits;
    CHECK(input_extents<net> == extents{8, 8, 1});
    CHECK(output_extents<net> == extents{1, 1, 10});
    CHECK(at<net>("dw2").out == extents{4, 4, 16});
    CHECK(at<net>("pw3").out == extents{4, 4, 32});
    // Stem, three separable blocks, and the dense layer; gamma and beta for each convolution.
    CHECK(parameter_count<net> == 9 * 8 + (9 * 8 + 8 * 16) + (9 * 16 + 16 * 32) + (9 * 32 + 32 * 32) +
                                      2 * (8 + 8 + 16 + 16 + 32 + 32 + 32) + 32 * 10 + 10);
}

TEST_CASE("the part up to dw13 is the network's own beginning") {
    using part = networks::mobilenet_v1_to_dw13<100>;
    using whole = mobilenet_v1<100>;
    for (std::size_t i = 0; i < node_count<part>; ++i) CHECK(part::nodes[i] == whole::nodes[i]);
    CHECK(part::nodes.back().name.view() == "dw13.relu6");
}
