// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mlperf_tiny.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

using namespace statiq;

namespace {

/// As Keras counts parameters: batch norm's moving statistics are among them.
template <graph_type G>
constexpr std::int64_t with_statistics() {
    std::int64_t parameters = parameter_count<G>;
    for (const node& n : G::nodes)
        if (n.is<operations::batch_norm>()) parameters += 2 * std::int64_t{n.out.channels};
    return parameters;
}

template <graph_type G>
constexpr const node& at(std::string_view name) {
    return G::nodes[static_cast<std::size_t>(find_node<G>(name))];
}

} // namespace

// What MLPerf Tiny's reference models print of themselves.
static_assert(with_statistics<networks::resnet8<>>() == 78'666);
static_assert(with_statistics<networks::ds_cnn>() == 24'908);
static_assert(with_statistics<networks::autoencoder>() == 269'992);

// Products, counted by hand.
static_assert(multiply_accumulates<networks::resnet8<>> == 32 * 32 * (9 * 3 * 16 + 2 * 9 * 16 * 16) +
                                                               16 * 16 * (9 * 16 * 32 + 9 * 32 * 32 + 16 * 32) +
                                                               8 * 8 * (9 * 32 * 64 + 9 * 64 * 64 + 32 * 64) + 64 * 10);
static_assert(multiply_accumulates<networks::ds_cnn> == 25 * 5 * (10 * 4 * 64 + 4 * (9 * 64 + 64 * 64)) + 64 * 12);
static_assert(multiply_accumulates<networks::autoencoder> ==
              640 * 128 + 3 * 128 * 128 + 128 * 8 + 8 * 128 + 3 * 128 * 128 + 128 * 640);

TEST_CASE("ResNet-8") {
    using net = networks::resnet8<>;
    CHECK(output_extents<net> == extents{1, 1, 10});
    CHECK(at<net>("stack1.add").inputs[0] == find_node<net>("conv0.relu"));
    CHECK(at<net>("stack1.add").inputs[1] == find_node<net>("stack1.conv2.bn"));
    CHECK(at<net>("stack2.conv1").over.stride_height == 2);
    CHECK(at<net>("stack2.shortcut").input() == find_node<net>("stack1.relu"));
    CHECK(at<net>("stack2.shortcut").over.taps() == 1);
    CHECK(at<net>("stack3.relu").out == extents{8, 8, 64});
    CHECK(at<net>("stack3.conv2").has_bias);
    CHECK(net::nodes.back().is<operations::softmax>());
}

TEST_CASE("DS-CNN") {
    using net = networks::ds_cnn;
    CHECK(at<net>("conv0").out == extents{25, 5, 64});
    CHECK(at<net>("conv0").over.pad_top == 4); // 10 rows at stride 2 over 49: 9 rows of padding, the larger half below
    CHECK(at<net>("conv0").over.pad_left == 1);
    CHECK(at<net>("dw4").is_depthwise());
    CHECK(at<net>("pw4.relu").out == extents{25, 5, 64});
    CHECK(output_extents<net> == extents{1, 1, 12});
}

TEST_CASE("the autoencoder narrows to eight values") {
    using net = networks::autoencoder;
    int narrowest = 640;
    for (const node& n : net::nodes) {
        CHECK((n.out.height == 1 && n.out.width == 1));
        narrowest = n.out.channels < narrowest ? n.out.channels : narrowest;
    }
    CHECK(narrowest == 8);
    CHECK(output_extents<net> == input_extents<net>);
}
