// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mobilenet_v2.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace statiq;
using networks::mobilenet_v2;

namespace {

template <graph_type G>
constexpr std::int64_t with_statistics() {
    std::int64_t parameters = parameter_count<G>;
    for (const node& n : G::nodes)
        if (n.is<operations::batch_norm>()) parameters += 2 * std::int64_t{n.out.channels};
    return parameters;
}

template <graph_type G>
const node& at(const std::string& name) {
    const int index = find_node<G>(name);
    REQUIRE_MESSAGE(index >= 0, name);
    return G::nodes[static_cast<std::size_t>(index)];
}

} // namespace

// As torchvision counts its model, and Keras its own, which has moving statistics among the parameters.
static_assert(parameter_count<mobilenet_v2<>> == 3'504'872);
static_assert(with_statistics<mobilenet_v2<>>() == 3'538'984);
// Sandler et al., table 4: 300 million products.
static_assert(multiply_accumulates<mobilenet_v2<>> / 1'000'000 == 300);

TEST_CASE("MobileNetV2 is the network of its paper's table 2") {
    using net = mobilenet_v2<>;
    struct stage {
        int expansion, channels, blocks, stride, extent; ///< extent: of the stage's output
    };
    constexpr stage table_2[] = {{1, 16, 1, 1, 112}, {6, 24, 2, 2, 56}, {6, 32, 3, 2, 28}, {6, 64, 4, 2, 14},
                                 {6, 96, 3, 1, 14},  {6, 160, 3, 2, 7}, {6, 320, 1, 1, 7}};
    CHECK(at<net>("conv0").out == extents{112, 112, 32});
    int channels = 32;
    int block = 0;
    int sums = 0;
    for (const stage& s : table_2)
        for (int k = 0; k < s.blocks; ++k) {
            const std::string name = "block" + std::to_string(++block);
            CAPTURE(name);
            if (s.expansion > 1) CHECK(at<net>(name + ".expand").out.channels == channels * s.expansion);
            if (s.expansion == 1) CHECK(find_node<net>(name + ".expand") == -1);
            CHECK(at<net>(name + ".depthwise").is_depthwise());
            CHECK(at<net>(name + ".depthwise").out.channels == channels * s.expansion);
            CHECK(at<net>(name + ".depthwise").over.stride_height == (k == 0 ? s.stride : 1));
            CHECK(at<net>(name + ".depthwise.relu6").word() == "relu6");
            CHECK(at<net>(name + ".project").out == extents{s.extent, s.extent, s.channels});
            // The bottleneck is linear, and joined to the input where the shape stays.
            CHECK(find_node<net>(name + ".project.relu6") == -1);
            CHECK((find_node<net>(name + ".add") >= 0) == (k > 0));
            sums += k > 0;
            channels = s.channels;
        }
    CHECK(block == 17);
    CHECK(sums == 10);
    CHECK(at<net>("conv_last").out == extents{7, 7, 1280});
    CHECK(output_extents<net> == extents{1, 1, 1000});
}

TEST_CASE("channels are multiples of eight, and at least nine tenths of what the width asks for") {
    using networks::detail::multiple_of_eight;
    for (int channels = 8; channels <= 1280; channels += 8)
        for (int width = 10; width <= 200; width += 5) {
            const int made = multiple_of_eight(channels, width);
            REQUIRE(made % 8 == 0);
            REQUIRE(made >= 8);
            REQUIRE(1000 * made >= 9 * channels * width);
            if (made > 8) REQUIRE(100 * (made - 8) < channels * width);
        }
    CHECK(multiple_of_eight(32, 35) == 16); // 11.2: 8 would be less than nine tenths
    CHECK(multiple_of_eight(24, 35) == 8);
    CHECK(multiple_of_eight(16, 140) == 24); // 22.4
    // The last convolution does not become narrower than 1280.
    CHECK(at<mobilenet_v2<35, 96>>("conv_last").out.channels == 1280);
    CHECK(at<mobilenet_v2<140, 96>>("conv_last").out.channels == 1792);
}
