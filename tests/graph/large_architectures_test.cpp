// SPDX-License-Identifier: Apache-2.0
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include "large_architectures.hpp"
#include <cstdint>

using namespace statiq;

// Parameters as torchvision publishes them for its ResNet-50 and MobileNetV2: weights, biases, gamma and beta.
static_assert(parameter_count<architectures::resnet50> == 25'557'032);
static_assert(parameter_count<architectures::mobilenet_v2> == 3'504'872);
// RepVGG-B0 as it is trained.
static_assert(parameter_count<architectures::repvgg_b0> == 15'817'960);

TEST_CASE("ResNet-50 and MobileNetV2 need the products their authors report") {
    // 4.1 and 0.30 thousand million.
    CHECK(static_cast<double>(multiply_accumulates<architectures::resnet50>) == doctest::Approx(4.1e9).epsilon(0.005));
    CHECK(static_cast<double>(multiply_accumulates<architectures::mobilenet_v2>) ==
          doctest::Approx(0.300e9).epsilon(0.005));
}

TEST_CASE("RepVGG-B0's 3 x 3 branches are the products of the network as it is deployed") {
    std::int64_t products = 0;
    for (const node& n : architectures::repvgg_b0::nodes)
        if (n.over.taps() == 9 || n.kind == operation::dense) products += statiq::detail::multiply_accumulates_of(n);
    CHECK(static_cast<double>(products) == doctest::Approx(3.058e9).epsilon(0.0002));
}

TEST_CASE("MobileNetV2's blocks have shortcuts where the shape stays") {
    using net = architectures::mobilenet_v2;
    int sums = 0;
    for (const node& n : net::nodes) sums += n.kind == operation::add;
    CHECK(sums == 10); // the second and later blocks of stages 2 to 6
    CHECK(find_node<net>("stage1.block0.expand") == -1);
    CHECK(net::nodes[static_cast<std::size_t>(find_node<net>("stage3.block1.depthwise"))].out == extents{28, 28, 192});
    CHECK(net::nodes[static_cast<std::size_t>(find_node<net>("stage7.block0.project.bn"))].out == extents{7, 7, 320});
}
