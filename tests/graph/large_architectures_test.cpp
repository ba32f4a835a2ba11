// SPDX-License-Identifier: Apache-2.0
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include "large_architectures.hpp"
#include <cstdint>

using namespace statiq;

// Parameters as torchvision publishes them: weights, biases, gamma and beta.
static_assert(parameter_count<architectures::resnet50> == 25'557'032);
// RepVGG-B0 as it is trained.
static_assert(parameter_count<architectures::repvgg_b0> == 15'817'960);

TEST_CASE("ResNet-50 needs the 4.1 thousand million products that are known for it") {
    CHECK(static_cast<double>(multiply_accumulates<architectures::resnet50>) == doctest::Approx(4.1e9).epsilon(0.005));
    CHECK(output_extents<architectures::resnet50> == extents{1, 1, 1000});
}

TEST_CASE("RepVGG-B0's 3 x 3 branches are the products of the network as it is deployed") {
    std::int64_t products = 0;
    for (const node& n : architectures::repvgg_b0::nodes)
        if (n.over.taps() == 9 || n.is<operations::dense>()) products += statiq::detail::multiply_accumulates_of(n);
    CHECK(static_cast<double>(products) == doctest::Approx(3.058e9).epsilon(0.0002));
}
