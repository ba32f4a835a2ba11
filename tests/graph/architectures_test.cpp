// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>
#include <statiq/networks/mlperf_tiny.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include "architectures.hpp"
#include <cstdint>
#include <set>
#include <string_view>

using namespace statiq;

namespace {

template <graph_type G>
constexpr int count_of(const operation_facts* kind) {
    int count = 0;
    for (const node& n : G::nodes) count += n.facts == kind;
    return count;
}

template <graph_type G>
constexpr const node& at(std::string_view name) {
    return G::nodes[static_cast<std::size_t>(find_node<G>(name))];
}

/// A type as an argument.
template <graph_type G>
constexpr const G* type_of = nullptr;

} // namespace

// Products, counted by hand.
static_assert(multiply_accumulates<architectures::small_vgg> == 32 * 32 * (9 * 3 * 16 + 9 * 16 * 16) +
                                                                    16 * 16 * (9 * 16 * 32 + 9 * 32 * 32) +
                                                                    8 * 8 * 9 * 32 * 64 + 4 * 4 * 64 * 128 + 128 * 10);

TEST_CASE("RepVGG's training-time block has three branches, two where the shape changes") {
    using net = architectures::small_repvgg;
    const node& sum = at<net>("stage1.block1.add");
    CHECK(sum.input_count == 3);
    CHECK(sum.inputs[0] == find_node<net>("stage1.block1.conv3x3.bn"));
    CHECK(sum.inputs[1] == find_node<net>("stage1.block1.conv1x1.bn"));
    CHECK(sum.inputs[2] == find_node<net>("stage1.block1.identity.bn"));
    CHECK(at<net>("stage1.block1.identity.bn").input() == find_node<net>("stage1.block0.relu"));
    CHECK(at<net>("stage1.block0.add").input_count == 2);
    CHECK_FALSE(at<net>("stage1.block1.conv1x1").has_bias);
    // Deployed without merging, the identity's norm is a 1 x 1 depthwise convolution.
    const node& identity_branch = at<batch_norm_folded<net>>("stage1.block1.identity.bn");
    CHECK(identity_branch.is_depthwise());
    CHECK(identity_branch.over.taps() == 1);
    // Merged, the block is a 3 x 3.
    CHECK(at<deployed<net>>("stage1.block1").over.taps() == 9);
    CHECK(count_of<deployed<net>>(&facts_of<operations::add>) == 0);
}

TEST_CASE("a VGG flattens into its dense layers") {
    using net = architectures::small_vgg;
    CHECK(at<net>("fc1").in == extents{1, 1, 4 * 4 * 64});
    CHECK(at<net>("conv1.convolution_2").in == extents{32, 32, 16});
    CHECK(count_of<net>(&facts_of<operations::max_pool>) == 3);
}

TEST_CASE("a detector's neck reads earlier levels") {
    using net = architectures::detector;
    const node& finer = at<net>("n3.concat");
    CHECK(finer.input_count == 3);
    CHECK(at<net>("n3.max_pool").input() == find_node<net>("p2.relu"));
    CHECK(finer.inputs[1] == find_node<net>("p3.relu"));
    CHECK(at<net>("n3.average_pool").input() == find_node<net>("p1.relu"));
    CHECK(finer.out == extents{8, 12, 16 + 24 + 8});
    CHECK(at<net>("n4.concat").inputs[1] == find_node<net>("p4.relu"));
    CHECK(at<net>("heads.fine").input() == find_node<net>("n3.relu"));
    CHECK(output_extents<net> == extents{1, 1, 6 * (4 * 6 + 8 * 12)});
}

TEST_CASE("inputs come before what reads them, and names are unique") {
    const auto holds = []<graph_type G>(const G*) {
        std::set<std::string_view> names;
        bool ordered = G::nodes[0].template is<operations::input>();
        for (std::size_t i = 0; i < node_count<G>; ++i) {
            const node& n = G::nodes[i];
            names.insert(n.name.view());
            for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
                ordered = ordered && n.inputs[k] >= 0 && n.inputs[k] < static_cast<int>(i);
            if (n.input_count > 0) ordered = ordered && n.in == G::nodes[static_cast<std::size_t>(n.input())].out;
        }
        return ordered && names.size() == node_count<G>;
    };
    const auto holds_throughout = [&holds]<graph_type G>(const G* net) {
        return holds(net) && holds(type_of<deployed<G>>);
    };
    CHECK(holds_throughout(type_of<networks::resnet8<>>));
    CHECK(holds_throughout(type_of<architectures::small_repvgg>));
    CHECK(holds_throughout(type_of<architectures::small_vgg>));
    CHECK(holds_throughout(type_of<networks::ds_cnn>));
    CHECK(holds_throughout(type_of<networks::autoencoder>));
    CHECK(holds_throughout(type_of<architectures::detector>));
    CHECK(holds_throughout(type_of<architectures::tangle>));
    CHECK(holds_throughout(type_of<networks::digits>));
}
