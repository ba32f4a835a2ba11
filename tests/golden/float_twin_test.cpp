// SPDX-License-Identifier: Apache-2.0
// Quantizing float weights gives the integers that TensorFlow Lite's converter made of the same weights.
#include <statiq/io/parameters.hpp>
#include <statiq/networks/mobilenet_v1.hpp>

#include "golden_model.hpp"
#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace sq = statiq;

namespace {

using net = sq::networks::visual_wake_words;
using int8 = sq::quantized<8, sq::asymmetric_signed>;
using numbers = sq::numbers_chosen<sq::deployed<net>, sq::quantized<8, sq::symmetric, sq::per_channel>, int8,
                                   sq::quantized<8, sq::symmetric, sq::per_tensor>>;

} // namespace

TEST_CASE("golden: visual wake words, quantized from its float weights") {
    const auto folder = golden_test::model_folder("vww_96_int8");
    const auto weights = golden_test::data_folder() / "weights" / "vww_96_mobilenet_v1_0.25_bn.safetensors";
    if (!folder || !std::filesystem::exists(weights)) {
        MESSAGE("skipped: no data");
        return;
    }
    const golden_test::stored_graph<numbers> graph(*folder);
    REQUIRE(graph.matched());
    const auto stored = graph.integers();
    const auto real = sq::deploy(sq::load<net>(weights));
    std::size_t compared = 0;
    std::size_t different = 0;
    for (std::size_t i = 0; i < sq::node_count<numbers>; ++i) {
        const sq::node& n = numbers::nodes[i];
        if (!n.is_linear()) continue;
        const auto before = static_cast<std::size_t>(n.input());
        sq::quantized_layer ours;
        sq::detail::quantize_linear(n, numbers::nodes[before].numbers.activation, stored[before].output,
                                    real[static_cast<std::size_t>(numbers::origin[i])], ours);
        CAPTURE(n.name.view());
        for (std::size_t c = 0; c < ours.weight_map.size(); ++c) {
            // The converter folded batch norm in float, we in double: the weights, and so the scales and biases, agree
            // to a few roundings of 2^-24.
            const double expected = static_cast<double>(stored[i].weight_map[c].scale);
            CHECK(std::abs(static_cast<double>(ours.weight_map[c].scale) / expected - 1.0) < 8 * 0x1p-24);
            const double bias = static_cast<double>(stored[i].bias[c]);
            CHECK(std::abs(static_cast<double>(ours.bias[c]) - bias) <= 1.0 + std::abs(bias) * 16 * 0x1p-24);
        }
        for (std::size_t w = 0; w < ours.weight.size(); ++w)
            different += ours.weight[w] != stored[i].weight[w] ? 1U : 0U;
        compared += ours.weight.size();
    }
    MESSAGE("visual wake words: compared " << compared << " weights, " << different << " differ");
    CHECK(compared > 0);
    CHECK(different == 0);
}
