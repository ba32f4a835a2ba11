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

/// The converter folded batch norm in float, we in double: weights agree to a few roundings of 2^-24, biases (and the
/// weight scales that follow from them) to as many of their terms, which may cancel: beta + alpha (b - mean).
std::vector<double> cancellations(const sq::parameters<net>& trained, const sq::label& layer_name,
                                  std::size_t channels) {
    std::vector<double> factors(channels, 1.0);
    const int norm = sq::find_node<net>((layer_name + ".bn").view());
    if (norm < 0) return factors;
    const auto& linear = trained[static_cast<std::size_t>(sq::find_node<net>(layer_name.view()))];
    const auto& batch_norm = trained[static_cast<std::size_t>(norm)];
    const auto alpha = sq::batch_norm_scale(batch_norm, net::nodes[static_cast<std::size_t>(norm)].epsilon);
    for (std::size_t c = 0; c < channels; ++c) {
        const double beta = static_cast<double>(batch_norm.beta[c]);
        const double scaled_bias = alpha[c] * static_cast<double>(linear.bias[c]);
        const double mean = alpha[c] * static_cast<double>(batch_norm.mean[c]);
        const double sum = std::abs(beta + scaled_bias - mean);
        factors[c] = std::max(1.0, (std::abs(beta) + std::abs(scaled_bias) + std::abs(mean)) / sum);
    }
    return factors;
}

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
    const auto trained = sq::load<net>(weights);
    const auto real = sq::deploy(trained);
    std::size_t compared = 0;
    std::size_t different = 0;
    for (std::size_t i = 0; i < sq::node_count<numbers>; ++i) {
        const sq::node& n = numbers::nodes[i];
        if (!n.is_linear()) continue;
        const auto before = static_cast<std::size_t>(n.input());
        sq::quantized_layer ours;
        sq::detail::quantize_linear(n, numbers::nodes[before].numbers.activation, stored[before].output,
                                    real[static_cast<std::size_t>(numbers::origin[i])], ours);
        const auto cancellation = cancellations(trained, n.name, ours.weight_map.size());
        CAPTURE(n.name.view());
        for (std::size_t c = 0; c < ours.weight_map.size(); ++c) {
            const double slack = cancellation[c] * 8 * 0x1p-24;
            const double expected = static_cast<double>(stored[i].weight_map[c].scale);
            CHECK(std::abs(static_cast<double>(ours.weight_map[c].scale) / expected - 1.0) < slack);
            const double expected_bias = static_cast<double>(stored[i].bias[c]);
            CHECK(std::abs(static_cast<double>(ours.bias[c]) - expected_bias) <=
                  1.0 + 2 * std::abs(expected_bias) * slack);
        }
        for (std::size_t w = 0; w < ours.weight.size(); ++w)
            different += ours.weight[w] != stored[i].weight[w] ? 1U : 0U;
        compared += ours.weight.size();
    }
    MESSAGE("visual wake words: compared " << compared << " weights, " << different << " differ");
    CHECK(compared > 0);
    CHECK(different == 0);
}
