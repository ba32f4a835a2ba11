// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/repvgg.hpp>
#include <statiq/networks/vgg.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/require_merged.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>

using namespace statiq;
using namespace statiq::networks;

namespace {

template <graph_type G>
constexpr int count_of(const operation_facts* kind) {
    return static_cast<int>(
        std::count_if(G::nodes.begin(), G::nodes.end(), [&](const node& n) { return n.facts == kind; }));
}

/// Input, one convolution with ReLU for each block, mean, dense: nothing else.
template <repvgg_widths W, class Blocks = repvgg_blocks>
constexpr bool deploys_to_one_layer_a_block = [] {
    using D = deployed<repvgg<W, Blocks>>;
    constexpr int blocks = 1 + W.blocks[0] + W.blocks[1] + W.blocks[2] + W.blocks[3];
    bool only = node_count<D> == blocks + 3;
    for (std::size_t i = 1; i <= blocks; ++i)
        only = only && D::nodes[i].template is<operations::convolution>() && D::nodes[i].over.taps() == 9 &&
               D::nodes[i].clamp == relu_clamp && D::nodes[i].has_bias;
    return only && D::nodes[node_count<D> - 2].template is<operations::global_average_pool>() &&
           D::nodes[node_count<D> - 1].template is<operations::dense>();
}();

/// Deployed, it is the plain network of these layers: names, shapes, windows, all.
template <repvgg_widths W, class Blocks = repvgg_blocks>
constexpr bool is_plain = [] {
    constexpr auto& merged = deployed<repvgg<W, Blocks>>::nodes;
    constexpr auto& plain = deployed<repvgg<W, plain_blocks>>::nodes;
    return std::equal(merged.begin(), merged.end(), plain.begin(), plain.end());
}();

static_assert(deploys_to_one_layer_a_block<repvgg_a0>);
static_assert(is_plain<repvgg_a0>);
static_assert(require_merged<repvgg<repvgg_a0>>);
static_assert(count_of<repvgg<repvgg_a0>>(&facts_of<operations::add>) == 22);
static_assert(count_of<repvgg<repvgg_b0>>(&facts_of<operations::add>) == 28);

/// P5 table 4 and 5: parameters in millions with two digits (cut off) and multiply-accumulates in billions with one
/// (rounded), of the deployed network.
template <repvgg_widths W>
constexpr bool published(std::int64_t millions_100, std::int64_t billions_10) {
    using D = deployed<repvgg<W>>;
    return parameter_count<D> / 10'000 == millions_100 &&
           (multiply_accumulates<D> + 50'000'000) / 100'000'000 == billions_10;
}
static_assert(published<repvgg_a0>(8'30, 1'4));
static_assert(published<repvgg_a1>(12'78, 2'4));
static_assert(published<repvgg_a2>(25'49, 5'1));
static_assert(published<repvgg_b0>(14'33, 3'1));
static_assert(published<repvgg_b1>(51'82, 11'8));
static_assert(published<repvgg_b1g2>(41'36, 8'8));
static_assert(published<repvgg_b1g4>(36'12, 7'3));
static_assert(published<repvgg_b2>(80'31, 18'4));
static_assert(published<repvgg_b2g4>(55'77, 11'3));
static_assert(published<repvgg_b3>(110'96, 26'2));
static_assert(published<repvgg_b3g4>(75'62, 16'1));
static_assert(multiply_accumulates<deployed<repvgg<repvgg_a0>>> / 1'000'000 == 1'361);

// As trained: the counts of the published code's logs. Without the identity's batch norm, 2 (3 64 + 5 128 + 15 256)
// fewer.
static_assert((parameter_count<repvgg<repvgg_a0>> + 500) / 1'000 == 9'109);
static_assert(parameter_count<repvgg<repvgg_b0>> == 15'817'960);
static_assert((parameter_count<repvgg<repvgg_b1>> + 500) / 1'000 == 57'415);
static_assert(parameter_count<repvgg<repvgg_b0, qarepvgg_blocks>> == 15'808'616);

// Whatever batch norms a block has, it deploys to the same layers; a block without any batch norm would too.
static_assert(is_plain<repvgg_b0, qarepvgg_blocks>);

template <class Blocks>
struct two_blocks final : network<decltype(input<8, 8, 6> | Blocks::template block<"a", 6, 8, 2, 2>() |
                                           Blocks::template block<"b", 8, 8, 1, 2>())> {};
template <class Blocks>
constexpr bool small_is_plain = [] {
    constexpr auto& merged = deployed<two_blocks<Blocks>>::nodes;
    constexpr auto& plain = deployed<two_blocks<plain_blocks>>::nodes;
    return merged.size() == plain.size() &&
           std::equal(merged.begin(), merged.end(), plain.begin(), [](node a, const node& b) {
               a.has_bias = b.has_bias; // a block has one where a batch norm brings it
               return a == b;
           });
}();

struct variant {
    int norms_first = 0;  ///< batch norms in a block without identity
    int norms_second = 0; ///< and in one with it
    friend constexpr bool operator==(const variant&, const variant&) = default;
};
template <class Blocks>
constexpr variant norms = [] {
    variant v;
    for (const node& n : two_blocks<Blocks>::nodes)
        if (n.is<operations::batch_norm>()) ++(n.name.is_in("a") ? v.norms_first : v.norms_second);
    return v;
}();

static_assert(norms<repvgg_blocks_s0> == variant{2, 3} && norms<repvgg_blocks_s1> == variant{2, 3});
static_assert(norms<repvgg_blocks_s2> == variant{2, 2});
static_assert(norms<repvgg_blocks_s3> == variant{1, 1});
static_assert(norms<repvgg_blocks_s4> == variant{2, 2}); // the 3 x 3's own, and the one after the addition
static_assert(norms<qarepvgg_blocks_v1> == variant{3, 4});
static_assert(norms<qarepvgg_blocks_v2> == variant{2, 2});
static_assert(norms<qarepvgg_blocks_v3> == variant{2, 2});
static_assert(norms<qarepvgg_blocks_v4> == variant{1, 2});
static_assert(norms<qarepvgg_blocks_v5> == variant{3, 3});
static_assert(norms<qarepvgg_blocks_v6> == variant{2, 2});

// QARepVGG: batch norm on the 3 x 3 and after the addition, and nowhere else.
using qa = two_blocks<qarepvgg_blocks>;
static_assert(find_node<qa>("b.dense3x3.bn") > 0 && find_node<qa>("b.bn") == find_node<qa>("b.add") + 1);
static_assert(find_node<qa>("b.conv1x1.bn") < 0 && find_node<qa>("b.identity.bn") < 0);

static_assert(small_is_plain<repvgg_blocks_s1> && small_is_plain<repvgg_blocks_s2> &&
              small_is_plain<repvgg_blocks_s3> && small_is_plain<repvgg_blocks_s4>);
static_assert(small_is_plain<qarepvgg_blocks_v1> && small_is_plain<qarepvgg_blocks_v3> &&
              small_is_plain<qarepvgg_blocks_v4> && small_is_plain<qarepvgg_blocks_v5> &&
              small_is_plain<qarepvgg_blocks_v6>);

// P6's network: 13 convolutions with biases and batch norm, two dense layers.
constexpr std::int64_t vgg_weights =
    9 * (3 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 2 * 256 * 256 + 256 * 512 + 5 * 512 * 512) + 512 * 512 +
    512 * 10;
constexpr std::int64_t vgg_channels = 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512;
static_assert(parameter_count<vgg16_cifar<>> == vgg_weights + 3 * vgg_channels + 512 + 10);
static_assert(parameter_count<deployed<vgg16_cifar<>>> == vgg_weights + vgg_channels + 512 + 10);
static_assert(node_count<deployed<vgg16_cifar<>>> == 1 + 13 + 5 + 1 + 2); // five pools, one flatten
static_assert(output_extents<vgg16_cifar<100>> == extents{1, 1, 100});

} // namespace

TEST_CASE("RepVGG's stages") {
    using D = deployed<repvgg<repvgg_b1g4>>;
    // P5 section 5.2: every stage halves the image; g4 is on layers 2, 4 … 26.
    const std::array<int, 6> channels{64, 128, 256, 512, 2048, 0};
    int stage = -1;
    for (int layer = 0; layer < 28; ++layer) {
        const node& n = D::nodes[static_cast<std::size_t>(layer) + 1];
        if (n.over.stride_height == 2) ++stage;
        CAPTURE(layer);
        CHECK(n.out.channels == channels[static_cast<std::size_t>(stage)]);
        CHECK(n.out.height == 112 >> stage);
        CHECK(n.groups == (layer >= 2 && layer % 2 == 0 && layer <= 26 ? 4 : 1));
    }
    CHECK(stage == 4);
    CHECK(output_extents<D> == extents{1, 1, 1000});
}

TEST_CASE("RepVGG's widths") {
    CHECK(repvgg_a0.channels == std::array<int, 5>{48, 48, 96, 192, 1280});
    CHECK(repvgg_a2.channels == std::array<int, 5>{64, 96, 192, 384, 1408});
    CHECK(repvgg_b3.channels == std::array<int, 5>{64, 192, 384, 768, 2560});
    CHECK(repvgg_b2g2.groups == 2);
}
