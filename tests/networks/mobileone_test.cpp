// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobileone.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/require_merged.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace statiq;
using networks::mobileone_s0;

namespace {

using net = mobileone_s0<>;
using D = deployed<net>;

// Published, as trained and deployed: 5.29 and 2.08 million parameters; 275 million multiply-accumulates deployed.
static_assert(parameter_count<net> / 10'000 == 529);
static_assert((parameter_count<D> + 5'000) / 10'000 == 208);
static_assert(multiply_accumulates<D> / 1'000'000 == 275);
static_assert(require_merged<net>);
static_assert(node_count<D> == 1 + 43 + 2); // input, a convolution for each block, mean, dense

} // namespace

TEST_CASE("MobileOne-S0: the layers of the published deployed weights") {
    // Depthwise at even places, pointwise at odd ones; the first depthwise of a stage has the stride.
    const int pairs[] = {2, 8, 10, 1};
    const int channels[] = {48, 128, 256, 1024};
    std::size_t i = 1;
    CHECK(D::nodes[i].name == label("stage0"));
    CHECK(D::nodes[i].out == extents{112, 112, 48});
    int extent = 112;
    for (std::size_t stage = 0; stage < 4; ++stage) {
        extent /= 2;
        for (int layer = 0; layer < 2 * pairs[stage]; ++layer) {
            const node& n = D::nodes[++i];
            CAPTURE(n.name.view());
            CHECK(n.name.view() == "stage" + std::to_string(stage + 1) + "." + std::to_string(layer));
            CHECK(n.is<operations::convolution>());
            CHECK(n.clamp == relu_clamp);
            CHECK(n.has_bias);
            CHECK(n.is_depthwise() == (layer % 2 == 0));
            CHECK(n.over.taps() == (layer % 2 == 0 ? 9 : 1));
            CHECK(n.over.stride_height == (layer == 0 ? 2 : 1));
            CHECK(n.over.pad_top == (layer % 2 == 0 ? 1 : 0));
            if (layer % 2 == 1) CHECK(n.out == extents{extent, extent, channels[stage]});
        }
    }
    CHECK(i == 43);
}

TEST_CASE("MobileOne-S0: branches as trained") {
    // A stride keeps the skip away, as do unequal channels; the first layer has one copy of its kernel.
    CHECK(find_node<net>("stage0.conv0") > 0);
    CHECK(find_node<net>("stage0.conv1") < 0);
    CHECK(find_node<net>("stage0.scale") > 0);
    CHECK(find_node<net>("stage1.0.conv3") > 0);
    CHECK(find_node<net>("stage1.0.skip.bn") < 0);
    CHECK(find_node<net>("stage1.2.skip.bn") > 0);
    CHECK(find_node<net>("stage1.1.scale") < 0);
    CHECK(find_node<net>("stage1.1.skip.bn") > 0);
    CHECK(find_node<net>("stage2.1.skip.bn") < 0);
}
