// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/float_network.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/require_merged.hpp>

#include <doctest/doctest.h>

#include "../support/random_parameters.hpp"
#include "../support/random_sum.hpp"
#include "../support/real_oracle.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

using namespace statiq;

namespace {

// ---- what a sum becomes -------------------------------------------------------------------------------------------

constexpr auto square = conv<4>(kernel<3>, padding<1>) | batch_norm;
constexpr auto point = pointwise<4> | batch_norm;
struct block final
    : network<decltype(input<8, 8, 4> |
                       named<"b">(add(named<"three">(square), named<"one">(point), named<"zero">(batch_norm)) | relu) |
                       named<"c">(conv<2>))> {};
using merged_block = branches_merged<block>;
static_assert(node_count<merged_block> == 4); // input, b, its ReLU, c
static_assert(merged_block::nodes[1].is<operations::convolution>() && merged_block::nodes[1].name == label("b"));
static_assert(merged_block::nodes[1].over ==
              window{.kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_left = 1});
static_assert(merged_block::nodes[1].groups == 1 && merged_block::nodes[1].has_bias);
static_assert(merged_block::nodes[2].name == label("b.relu") && merged_block::nodes[2].input() == 1);
static_assert(merged_block::origin[1] == find_node<block>("b.add"));
static_assert(require_merged<block> && require_merged<block, "b">);

// The 1 x 1's tap among the 3 x 3's follows from strides and padding: PyTorch's is the centre, TensorFlow's 'same'
// puts it in the corner where the image is even and the stride 2.
struct corner final : network<decltype(input<8, 8, 4> | add(conv<4>(kernel<3>, stride<2>), conv<4>(stride<2>)))> {};
static_assert(branches_merged<corner>::nodes[1].over == window{3, 3, 2, 2});

// Without biases and batch norm there is no bias.
struct bare final : network<decltype(input<8, 8, 4> | add(conv<4>(kernel<3>, without_bias), identity))> {};
static_assert(!branches_merged<bare>::nodes[1].has_bias);

// Dilated taps lie on a lattice of their own; a 1 x 1 at its centre is on it.
struct dilated final : network<decltype(input<9, 9, 4> | add(conv<4>(kernel<3>, dilation<2>), conv<4>))> {};
static_assert(branches_merged<dilated>::nodes[1].over == window{3, 3, 1, 1, 2, 2, 2, 2});

// A batch norm after the addition is merged too, and so are sums in sums.
struct nested final
    : network<decltype(input<8, 8, 4> | relu |
                       named<"b">(add(add(square, batch_norm), add(point, identity) | batch_norm) | batch_norm) |
                       relu)> {};
static_assert(node_count<branches_merged<nested>> == 4);

// Sums of what treats each channel by itself are depthwise.
struct channelwise final : network<decltype(input<8, 8, 4> | add(depthwise | batch_norm, batch_norm, identity))> {};
static_assert(branches_merged<channelwise>::nodes[1].is_depthwise());

// A name that is taken is not taken away.
struct scoped final : network<decltype(input<8, 8, 4> | named<"b">(conv<4> | relu | add(square, point)))> {};
static_assert(branches_merged<scoped>::nodes[1].name == label("b"));
static_assert(branches_merged<scoped>::nodes[3].name == label("b.add"));

// Formats that `with<...>` chose for the branches are the convolution's.
using narrow = quantized<4, symmetric, per_channel>;
struct chosen final : network<decltype(input<8, 8, 4> | with<narrow>(add(square, batch_norm)) | conv<4>)> {};
static_assert(branches_merged<chosen>::nodes[1].numbers.weight == narrow::format);
static_assert(branches_merged<chosen>::nodes[1].numbers.chosen_weight);

// ---- what stays, and why ------------------------------------------------------------------------------------------

template <graph_type G>
constexpr merge_obstacle why_not() {
    return detail::first_unmerged<G>(label{}).refusal.why;
}
template <graph_type G>
constexpr bool stays = [] {
    using merged = branches_merged<G>;
    return node_count<merged> == node_count<G> && std::equal(G::nodes.begin(), G::nodes.end(), merged::nodes.begin());
}();

struct with_relu final : network<decltype(input<8, 8, 4> | add(conv<4>(kernel<3>) | relu | conv<4>, identity))> {};
static_assert(stays<with_relu> && why_not<with_relu>() == merge_obstacle::nonlinear);
static_assert(detail::first_unmerged<with_relu>(label{}).layer == label("relu"));

struct read_twice final
    : network<decltype(input<8, 8, 4> | relu | named<"a">(conv<4>(kernel<3>)) |
                       named<"s">(add(identity, from<"relu">)) | relu | add(identity, from<"a"> | relu))> {};
static_assert(detail::first_unmerged<read_twice>("s").refusal.why == merge_obstacle::read_inside);

struct strides_differ final
    : network<decltype(input<8, 8, 4> | add(conv<4>(kernel<3>, stride<2>), conv<4>(kernel<5>, valid)))> {};
static_assert(stays<strides_differ> && why_not<strides_differ>() == merge_obstacle::strides);

struct groups_differ final
    : network<decltype(input<8, 8, 6> | add(conv<6>(kernel<3>, groups<2>), conv<6>(groups<3>)))> {};
static_assert(stays<groups_differ> && why_not<groups_differ>() == merge_obstacle::groups);

struct pool_pads final
    : network<decltype(input<8, 8, 4> | add(conv<4>(kernel<3>), average_pool(kernel<3>, stride<1>, same)))> {};
static_assert(stays<pool_pads> && why_not<pool_pads>() == merge_obstacle::pool_pads);

// Zeros that a 3 x 3 puts around the output of a 1 x 1 with bias are not what the 1 x 1 would have there.
struct biased_border final : network<decltype(input<8, 8, 4> | add(conv<4> | conv<4>(kernel<3>), conv<4>(kernel<3>)))> {
};
static_assert(stays<biased_border> && why_not<biased_border>() == merge_obstacle::border);
struct unbiased_border final
    : network<decltype(input<8, 8, 4> | add(conv<4>(without_bias) | conv<4>(kernel<3>), conv<4>(kernel<3>)))> {};
static_assert(require_merged<unbiased_border>);
// Nor what a kernel would have that sees the image from beyond its border.
struct wide_border final : network<decltype(input<8, 8, 4> | add(conv<4>(kernel<3>, without_bias) | conv<4>(kernel<3>),
                                                                 conv<4>(kernel<5>)))> {};
static_assert(stays<wide_border> && why_not<wide_border>() == merge_obstacle::border);

// A bottleneck is cheap because it is two layers.
struct bottleneck final
    : network<decltype(input<8, 8, 8> | add(conv<2>(without_bias) | conv<8>(kernel<3>), identity))> {};
static_assert(stays<bottleneck> && why_not<bottleneck>() == merge_obstacle::products);
struct separable final
    : network<decltype(input<8, 8, 8> | add(depthwise(without_bias) | conv<8>(without_bias), identity))> {};
static_assert(stays<separable>);
struct lone_sequence final : network<decltype(input<8, 8, 8> | conv<8>(without_bias) | conv<8>(kernel<3>))> {};
static_assert(stays<lone_sequence>);

struct formats_differ final : network<decltype(input<8, 8, 4> | add(with<narrow>(square), with<quantized<8>>(point)))> {
};
static_assert(stays<formats_differ> && why_not<formats_differ>() == merge_obstacle::formats);

// A part whose values were to have a format of their own keeps them.
struct float_island final : network<decltype(input<8, 8, 4> | relu | add(with<float32>(square), point))> {};
static_assert(stays<float_island> && why_not<float_island>() == merge_obstacle::formats);

// An inner sum is merged where the outer one cannot be.
struct inner_only final
    : network<decltype(input<8, 8, 4> | relu | residual(named<"in">(add(square, point)) | relu | conv<4>))> {};
static_assert(node_count<branches_merged<inner_only>> == node_count<inner_only> - 4);
static_assert(require_merged<inner_only, "in">);

/// Double's roundings, 2^-53, beside float's, 2^-24, which the oracle's bound for the trained layers counts one by one.
constexpr double double_beside_float = 0x1p-20;

} // namespace

TEST_CASE("a random sum of linear branches is one convolution") {
    std::array<int, static_cast<std::size_t>(support::branch::count)> kinds{};
    int strided = 0;
    int grouped = 0;
    int depthwise_sums = 0;
    int norms_after = 0;
    support::for_each_random_sum([&]<int Seed>() {
        using net = support::random_sum<Seed>;
        CAPTURE(Seed);
        CHECK(require_merged<net>);
        CHECK(node_count<branches_merged<net>> == 4); // input, ReLU, the convolution, ReLU
        CHECK(node_count<deployed<net>> == 3);
        constexpr support::sum_shape s = support::draw_sum(Seed);
        for (int b = 0; b < s.branches; ++b) ++kinds[static_cast<std::size_t>(support::draw_branch(Seed, b, s).kind)];
        strided += !s.keeps_pixels();
        grouped += s.groups > 1 && !s.depthwise;
        depthwise_sums += s.depthwise;
        norms_after += s.norm_after;
    });
    // The family is worth its name.
    for (const int count : kinds) CHECK(count >= 3);
    CHECK(strided >= 5);
    CHECK(grouped >= 10);
    CHECK(depthwise_sums >= 5);
    CHECK(norms_after >= 5);
}

/// The one merged convolution of a network against the branches it stands for, in double. Some variances are zero, or
/// almost.
template <class Net>
void check_reals(std::mt19937& random) {
    using merged = branches_merged<Net>;
    const auto trained = support::random_parameters<Net>(random);
    const auto parameters = merge_branches(trained);
    std::size_t i = 1;
    while (merged::nodes[i].facts == Net::nodes[static_cast<std::size_t>(merged::origin[i])].facts) ++i;
    const node& n = merged::nodes[i];
    REQUIRE(parameters[i].weight.size() == n.convolution().weight_count());
    REQUIRE(parameters[i].bias.size() == (n.has_bias ? static_cast<std::size_t>(n.out.channels) : 0));
    const auto samples = support::random_inputs<Net>(random, 2);
    for (std::size_t s = 0; s < samples.size(); ++s) {
        const auto branched = support::real_execution(trained, samples[s]);
        const support::reals& expected = branched[static_cast<std::size_t>(merged::origin[i])];
        support::reals x(branched[static_cast<std::size_t>(merged::origin[static_cast<std::size_t>(n.input())])]);
        std::fill(x.error.begin(), x.error.end(), 0.0);
        const std::array<const support::reals*, 1> inputs{&x};
        const support::reals y =
            support::real_node(merged::nodes, n, parameters[i], inputs, {.relative = support::unit_roundoff});
        REQUIRE(y.value.size() == expected.value.size());
        std::size_t outside = 0;
        for (std::size_t k = 0; k < y.value.size(); ++k)
            if (!(std::abs(y.value[k] - expected.value[k]) <= y.error[k] + double_beside_float * expected.error[k]))
                ++outside;
        CHECK(outside == 0);
    }
}

TEST_CASE("merged and branched compute the same reals, to one rounding of each merged parameter") {
    std::mt19937 random(71);
    support::for_each_random_sum([&]<int Seed>() {
        CAPTURE(Seed);
        check_reals<support::random_sum<Seed>>(random);
    });
}

namespace {

// What the family does not draw.
struct multiplied final : network<decltype(input<7, 6, 3> | relu |
                                           add(depthwise_multiplied<2>(kernel<5, 3>) | batch_norm,
                                               depthwise_multiplied<2>(kernel<1>) | batch_norm) |
                                           batch_norm)> {};
static_assert(branches_merged<multiplied>::nodes[2].is_depthwise());
// A stride inside a sequence spreads the taps behind it: 3 x 3 becomes 5 x 5 with holes.
struct spread final : network<decltype(input<9, 10, 4> | add(conv<6>(stride<2>, without_bias) |
                                                                 conv<6>(kernel<3>, padding<1>) | batch_norm,
                                                             conv<6>(kernel<5>, stride<2>, padding<2>)))> {};
static_assert(require_merged<spread>);
static_assert(branches_merged<spread>::nodes[1].over == window{5, 5, 2, 2, 1, 1, 2, 2});
struct square_then_point final
    : network<decltype(input<6, 7, 4> | add(conv<4>(kernel<3>) | batch_norm | conv<4>, identity, batch_norm))> {};
static_assert(require_merged<square_then_point>);
// A layer before that two branches share, and the same input added twice.
struct shared_front final
    : network<decltype(input<6, 6, 4> | relu |
                       add(conv<4>(kernel<3>, without_bias) | add(batch_norm, conv<4>), identity, identity))> {};
static_assert(require_merged<shared_front>);
struct one_sided final
    : network<decltype(input<8, 9, 3> | add(conv<3>(kernel<3, 4>, padding_sides<2, 0, 0, 3>),
                                            conv<3>(kernel<2, 1>, padding_sides<1, 0, 0, 0>), identity))> {};
static_assert(require_merged<one_sided>);

} // namespace

TEST_CASE("sums written by hand compute the same reals when merged") {
    std::mt19937 random(76);
    for (int round = 0; round < 3; ++round) {
        check_reals<multiplied>(random);
        check_reals<spread>(random);
        check_reals<square_then_point>(random);
        check_reals<shared_front>(random);
        check_reals<one_sided>(random);
        check_reals<corner>(random);
        check_reals<dilated>(random);
        check_reals<bare>(random);
        check_reals<nested>(random);
        check_reals<channelwise>(random);
        check_reals<unbiased_border>(random);
    }
}

TEST_CASE("merged and branched float networks agree within the error bounds of both") {
    std::mt19937 random(72);
    support::for_each_random_sum([&]<int Seed>() {
        using net = support::random_sum<Seed>;
        using merged = branches_merged<net>;
        CAPTURE(Seed);
        const auto trained = support::random_parameters<net>(random);
        const auto parameters = merge_branches(trained);
        const auto samples = support::random_inputs<net>(random, 2);
        float_network<net> branched_network(trained);
        float_network<merged> merged_network(parameters);
        for (std::size_t s = 0; s < samples.size(); ++s) {
            const auto branched = branched_network(samples[s]);
            const auto one = merged_network(samples[s]);
            const auto bound = support::real_execution(trained, samples[s]).back();
            const auto merged_bound =
                support::real_execution(parameters, samples[s], {.relative = support::unit_roundoff}).back();
            std::size_t outside = 0;
            for (std::size_t k = 0; k < one.size(); ++k)
                if (!(std::abs(static_cast<double>(branched[k]) - static_cast<double>(one[k])) <=
                      (1 + double_beside_float) * bound.error[k] + merged_bound.error[k]))
                    ++outside;
            CHECK(outside == 0);
        }
    });
}

TEST_CASE("merging twice changes nothing") {
    std::mt19937 random(73);
    const auto check = [&]<class Net>() {
        using once = branches_merged<Net>;
        using twice = branches_merged<once>;
        REQUIRE(node_count<once> == node_count<twice>);
        CHECK(std::equal(once::nodes.begin(), once::nodes.end(), twice::nodes.begin()));
        const auto merged = merge_branches(support::random_parameters<Net>(random));
        CHECK(merge_branches(merged).layers == merged.layers);
        using D = deployed<Net>;
        CHECK(std::equal(D::nodes.begin(), D::nodes.end(), deployed<D>::nodes.begin(), deployed<D>::nodes.end()));
    };
    support::for_each_random_sum<0, 20>([&]<int Seed>() { check.template operator()<support::random_sum<Seed>>(); });
    support::for_each_random_network([&]<class Net>() { check.template operator()<Net>(); });
}

TEST_CASE("P5 (3)(4): the kernel of a RepVGG block, written out") {
    std::mt19937 random(74);
    const auto trained = support::random_parameters<block>(random);
    const auto merged = merge_branches(trained);
    const auto at = [](const char* name) { return static_cast<std::size_t>(find_node<block>(name)); };
    const layer_parameters& norm3 = trained[at("b.three.bn")];
    const layer_parameters& norm1 = trained[at("b.one.bn")];
    const layer_parameters& norm0 = trained[at("b.zero.bn")];
    const auto scale = [](const layer_parameters& n, std::size_t c) {
        return static_cast<double>(n.gamma[c]) / std::sqrt(static_cast<double>(n.variance[c]) + 1e-3);
    };
    for (std::size_t o = 0; o < 4; ++o) {
        for (std::size_t tap = 0; tap < 9; ++tap)
            for (std::size_t i = 0; i < 4; ++i) {
                double w = static_cast<double>(trained[at("b.three")].weight[(o * 9 + tap) * 4 + i]) * scale(norm3, o);
                if (tap == 4) {
                    w += static_cast<double>(trained[at("b.one")].weight[o * 4 + i]) * scale(norm1, o);
                    if (i == o) w += scale(norm0, o);
                }
                CHECK(static_cast<double>(merged[1].weight[(o * 9 + tap) * 4 + i]) == doctest::Approx(w).epsilon(1e-6));
            }
        double b = 0;
        for (const layer_parameters* n : {&norm3, &norm1, &norm0})
            b += static_cast<double>(n->beta[o]) - static_cast<double>(n->mean[o]) * scale(*n, o);
        CHECK(static_cast<double>(merged[1].bias[o]) == doctest::Approx(b).epsilon(1e-6));
    }
}

TEST_CASE("dead channels of a branch can be repaired while merging") {
    std::mt19937 random(75);
    auto trained = support::random_parameters<block>(random, support::dead_channels::none);
    const auto identity_norm = static_cast<std::size_t>(find_node<block>("b.zero.bn"));
    trained[identity_norm].variance = {0.5F, 0.0F, 1.5F, 1.0F};
    const auto as_it_is = deploy(trained);
    const auto repaired = deploy(trained, {.repair_zero_variance = zero_variance_repair{}});
    trained[identity_norm].variance[1] = 1.0F; // the mean of the others
    CHECK(repaired.layers == deploy(trained).layers);
    CHECK(repaired.layers != as_it_is.layers);
}
