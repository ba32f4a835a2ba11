// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/float_network.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/equalize.hpp>
#include <statiq/passes/replace_relu6.hpp>
#include <statiq/passes/strip_depthwise.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

using namespace statiq;

namespace {

/// Equal but for the names of activations, which say what they are.
template <std::size_t Size>
constexpr bool same_but_for_activations_names(node_array<Size> a, node_array<Size> b) {
    for (std::size_t i = 0; i < Size; ++i) {
        if (a[i].traits().clamps) a[i].name = b[i].name;
        if (a[i] != b[i]) return false;
    }
    return true;
}

// P1's quantization-friendly network is a rewrite of the original.
using friendly = relu6_replaced<depthwise_stripped<networks::mobilenet_v1<25>>>;
static_assert(node_count<friendly> == node_count<networks::mobilenet_v1_friendly<25>>);
static_assert(same_but_for_activations_names(friendly::nodes, networks::mobilenet_v1_friendly<25>::nodes));

// Nothing to rewrite: the same graph.
static_assert(relu6_replaced<networks::mobilenet_v1_friendly<25>>::nodes == networks::mobilenet_v1_friendly<25>::nodes);
static_assert(depthwise_stripped<networks::mobilenet_v1_friendly<25>>::nodes ==
              networks::mobilenet_v1_friendly<25>::nodes);

struct row final
    : network<decltype(input<6, 5, 3> | named<"a">(conv<8>(kernel<3>)) | batch_norm | relu |
                       named<"b">(depthwise_multiplied<2>) | batch_norm | relu | named<"c">(conv<12>(groups<4>)) |
                       relu | max_pool | named<"d">(pointwise<7>) | global_average_pool | named<"e">(dense<5>))> {};
struct clipped final : network<decltype(input<6, 5, 3> | named<"a">(conv<8>(kernel<3>)) | relu6 |
                                        named<"b">(pointwise<4>) | relu | named<"c">(pointwise<4>))> {};
/// A value that two layers read, and one that is added: neither belongs to a pair.
struct branched final : network<decltype(input<6, 5, 3> | named<"a">(conv<8>(kernel<3>)) | relu |
                                         add(named<"b">(pointwise<8>) | relu | named<"c">(pointwise<8>), identity) |
                                         named<"d">(conv<4>))> {};

template <graph_type G>
std::vector<float> output_of(const parameters<G>& from, std::span<const float> sample) {
    float_network<G> network(from);
    const auto result = network(sample);
    return {result.begin(), result.end()};
}

/// The greatest magnitude of each output channel of a layer, and of each input channel of the next.
std::vector<float> ranges_out(const node& n, const layer_parameters& from) {
    std::vector<float> ranges(static_cast<std::size_t>(n.out.channels));
    for (int c = 0; c < n.out.channels; ++c)
        for_each_weight_of_output(n.convolution(), c, [&](const weight_place& w) {
            auto& r = ranges[static_cast<std::size_t>(c)];
            r = std::max(r, std::abs(from.weight[w.index]));
        });
    return ranges;
}

/// Scales a layer's channels apart, by powers of two between 2^-6 and 2^6.
void unbalance(layer_parameters& layer, const node& n, std::mt19937& random) {
    for (int c = 0; c < n.out.channels; ++c) {
        const float factor = std::exp2(static_cast<float>(static_cast<int>(random() % 13) - 6));
        for_each_weight_of_output(n.convolution(), c, [&](const weight_place& w) { layer.weight[w.index] *= factor; });
    }
}

} // namespace

TEST_CASE("equalization by powers of two leaves the float network's output as it is, bit for bit") {
    std::mt19937 random(401);
    for (int round = 0; round < 10; ++round) {
        auto from = deploy(support::random_parameters<row>(random));
        using D = deployed<row>;
        for (std::size_t i = 0; i < node_count<D>; ++i)
            if (D::nodes[i].is_linear()) unbalance(from[i], D::nodes[i], random);
        const auto equal = equalize(from);
        CHECK(equal != from);
        for (const auto& sample : {support::random_inputs<row>(random, 1)})
            CHECK(output_of(equal, sample[0]) == output_of(from, sample[0]));
    }
}

TEST_CASE("exact equalization makes ranges equal, and changes the output by roundings only") {
    std::mt19937 random(402);
    for (int round = 0; round < 10; ++round) {
        struct plain final : network<decltype(input<6, 5, 3> | named<"a">(conv<8>(kernel<3>, without_bias)) | relu |
                                              named<"b">(pointwise<6>(without_bias)))> {};
        using D = deployed<plain>;
        auto from = deploy(support::random_parameters<plain>(random));
        unbalance(from[1], D::nodes[1], random);
        const auto equal = equalize(from, {.powers_of_two = false});
        const std::vector<float> first = ranges_out(D::nodes[1], equal[1]);
        for (int c = 0; c < 8; ++c) {
            float second = 0;
            for_each_weight_of_input(D::nodes[2].convolution(), c, [&](const weight_place& w) {
                second = std::max(second, std::abs(equal[2].weight[w.index]));
            });
            CHECK(std::abs(first[static_cast<std::size_t>(c)] / second - 1) < 3e-3F); // it stops at 1e-3
        }
        const auto sample = support::random_inputs<plain>(random, 1);
        const auto before = output_of(from, sample[0]);
        const auto after = output_of(equal, sample[0]);
        float greatest = 0;
        for (const float x : before) greatest = std::max(greatest, std::abs(x));
        // Two weights of each of 27 * 8 products are rounded anew, and their sums.
        for (std::size_t k = 0; k < before.size(); ++k) CHECK(std::abs(after[k] - before[k]) <= 1e-4F * greatest);
    }
}

TEST_CASE("equalization narrows what one scale must span") {
    std::mt19937 random(403);
    auto from = deploy(support::random_parameters<row>(random, support::dead_channels::none));
    using D = deployed<row>;
    unbalance(from[1], D::nodes[1], random);
    const auto spread = [](const std::vector<float>& ranges) {
        return *std::max_element(ranges.begin(), ranges.end()) / *std::min_element(ranges.begin(), ranges.end());
    };
    const auto equal = equalize(from);
    CHECK(spread(ranges_out(D::nodes[1], equal[1])) < 0.25F * spread(ranges_out(D::nodes[1], from[1])));
}

TEST_CASE("pairs: a ReLU6, a second reader and an addition stand between layers") {
    const auto pairs = [](const auto& nodes) {
        std::vector<std::pair<std::string_view, std::string_view>> names;
        const std::vector<node> list(nodes.begin(), nodes.end());
        for (const auto& p : detail::pairs_of(list))
            names.emplace_back(nodes[p.first].name.view(), nodes[p.second].name.view());
        return names;
    };
    using names = std::vector<std::pair<std::string_view, std::string_view>>;
    CHECK(pairs(deployed<row>::nodes) == names{{"a", "b"}, {"b", "c"}, {"c", "d"}, {"d", "e"}});
    CHECK(pairs(deployed<clipped>::nodes) == names{{"b", "c"}});
    CHECK(pairs(relu6_replaced<deployed<clipped>>::nodes) == names{{"a", "b"}, {"b", "c"}});
    CHECK(pairs(deployed<branched>::nodes) == names{{"b", "c"}});
}

TEST_CASE("repairs change nothing when there is nothing to repair") {
    std::mt19937 random(404);
    const auto trained = support::random_parameters<row>(random, support::dead_channels::none);
    CHECK(deploy(trained, {.repair_zero_variance = zero_variance_repair{}}) == deploy(trained));

    const auto once = equalize(deploy(trained));
    CHECK(equalize(once) == once);

    auto no_relu6 = support::random_parameters<branched>(random);
    CHECK(replace_relu6(no_relu6).layers == no_relu6.layers);
    const network_data data = as_data(no_relu6);
    CHECK(replace_relu6(data).nodes == data.nodes);
}

TEST_CASE("ReLU for ReLU6 changes what exceeds 6, and nothing else") {
    std::mt19937 random(405);
    auto from = support::random_parameters<clipped>(random);
    const auto sample = support::random_inputs<clipped>(random, 1);
    for (float& w : from[1].weight) w *= 0.25F; // sums below 6: |x| <= 1, 27 weights below 1/12
    for (float& b : from[1].bias) b = 0;
    CHECK(output_of(replace_relu6(from), sample[0]) == output_of(from, sample[0]));
    for (float& b : from[1].bias) b = 7;
    CHECK(output_of(replace_relu6(from), sample[0]) != output_of(from, sample[0]));
    CHECK(replace_relu6(as_data(from)).nodes ==
          std::vector<node>(relu6_replaced<clipped>::nodes.begin(), relu6_replaced<clipped>::nodes.end()));
}

TEST_CASE("a stripped network keeps the parameters of the layers that remain") {
    std::mt19937 random(406);
    const auto from = support::random_parameters<networks::mobilenet_v1<25>>(random);
    const auto stripped = strip_depthwise(from);
    using S = depthwise_stripped<networks::mobilenet_v1<25>>;
    CHECK(node_count<S> == node_count<networks::mobilenet_v1<25>> - 26);
    for (std::size_t i = 0; i < node_count<S>; ++i) {
        const int before = find_node<networks::mobilenet_v1<25>>(S::nodes[i].name.view());
        REQUIRE(before >= 0);
        CHECK(stripped[i] == from[static_cast<std::size_t>(before)]);
        CHECK(S::nodes[i].name.view().find("dw") != S::nodes[i].name.view().find(".bn") - 3);
    }
    CHECK(find_node<S>("dw1") >= 0);
    CHECK(find_node<S>("dw1.bn") < 0);
    CHECK(find_node<S>("pw1.bn") >= 0);
}
