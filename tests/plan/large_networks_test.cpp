// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v2.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include "../graph/large_architectures.hpp"
#include "plan_laws.hpp"

using namespace statiq;
using namespace plan_test;

namespace {

template <graph_type G>
void check_plans() {
    CHECK(broken_law(G::nodes, memory_plan_of<G>) == "");
    CHECK(within_five_percent(memory_plan_of<G>));
    using integers = numbers_chosen<deployed<G>, quantized<8>, quantized<8, asymmetric>>;
    CHECK(broken_law(integers::nodes, memory_plan_of<integers>) == "");
    CHECK(within_five_percent(memory_plan_of<integers>));
}

} // namespace

// MobileNetV2 is largest where the depthwise convolution of stage 2 halves 96 channels of 112 x 112, ResNet-50 where
// its first blocks add 256 channels to 256.
static_assert(arena_bytes<networks::mobilenet_v2<>, quantized<8, asymmetric>> == 96 * (112 * 112 + 56 * 56));
static_assert(arena_bytes<architectures::resnet50, quantized<8, asymmetric>> == 56 * 56 * (256 + 256 + 256));

TEST_CASE("networks of hundreds of nodes") {
    check_plans<networks::mobilenet_v2<>>();
    check_plans<architectures::resnet50>();
    check_plans<architectures::repvgg_b0>();
}
