// SPDX-License-Identifier: Apache-2.0
// Quantizing float weights gives the integers that TensorFlow Lite's converter made of the same weights.
#include <statiq/io/parameters.hpp>
#include <statiq/networks/mlperf_tiny.hpp>
#include <statiq/networks/visual_wake_words.hpp>

#include "golden_model.hpp"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <unistd.h>

namespace sq = statiq;

namespace {

using net = sq::networks::visual_wake_words;
using int8 = sq::quantized<8, sq::asymmetric_signed>;
template <class Net>
using numbers_of = sq::numbers_chosen<sq::deployed<Net>, sq::quantized<8, sq::symmetric, sq::per_channel>, int8,
                                      sq::quantized<8, sq::symmetric, sq::per_tensor>>;
using numbers = numbers_of<net>;

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
    const std::filesystem::path weights = "weights/vww_96_mobilenet_v1_0.25_bn.safetensors";
    if (!folder || !test_data::has(weights)) return;
    const golden_test::stored_graph<numbers> graph(*folder);
    REQUIRE(graph.matched());
    const auto stored = graph.integers();
    const auto trained = sq::load<net>(test_data::external() / weights);
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

namespace {

/// What the repository's converter makes of a float .tflite file of the data; nothing (and the test case is skipped)
/// without the file or the converter's packages.
std::optional<sq::io::safetensors> converted_floats(const std::string& model) {
    const auto file = std::filesystem::path("tflite") / (model + ".tflite");
    if (!test_data::has(file)) return std::nullopt;
    if (std::system("/usr/bin/python3 -c 'import numpy, flatbuffers' 2> /dev/null && flatc --version > /dev/null") !=
        0) {
        test_data::skip("NumPy, flatbuffers and flatc for /usr/bin/python3");
        return std::nullopt;
    }
    const auto source = test_data::external() / file;
    const auto folder = std::filesystem::temp_directory_path() / ("statiq_twin_" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const auto quoted = [](const std::filesystem::path& path) { return "'" + path.string() + "'"; };
    const std::string command = "/usr/bin/python3 " + quoted(STATIQ_SOURCE_DIR "/tools/convert_tflite.py") + " " +
                                quoted(source) + " --name twin --header " + quoted(folder / "twin.hpp") +
                                " --integers " + quoted(folder / "twin.safetensors") + " 2> /dev/null";
    const bool converted = std::system(command.c_str()) == 0;
    std::optional<sq::io::safetensors> result;
    if (converted) result = sq::io::read_safetensors(folder / "twin.safetensors");
    std::filesystem::remove_all(folder);
    REQUIRE_MESSAGE(converted, command);
    return result;
}

/// A linear node's floats from the converter's file, in which blocks may have another name than in the network type.
template <sq::graph_type Q>
sq::layer_parameters read_layer(const sq::io::safetensors& file, const sq::node& n, std::string name) {
    if (const auto stack = name.find("stack"); stack != std::string::npos) name.replace(stack, 5, "block");
    sq::layer_parameters layer;
    const auto stored = sq::io::to_floats(file.at(name + ".weight"));
    const auto order =
        sq::io::detail::natural_positions(file.file(), n, "weight", sq::io::detail::channel_orders(Q::nodes));
    layer.weight.resize(stored.size());
    for (std::size_t k = 0; k < order.size(); ++k) layer.weight[order[k]] = stored[k];
    layer.bias = sq::io::to_floats(file.at(name + ".bias"));
    return layer;
}

/// Batch norm is folded on both sides: every scale and every weight is equal. Biases are rounded in double here and in
/// float there, with the inverse of the scales' product: a few of 2^24 parts, and the neighbour of a tie.
template <class Net>
void compare_with_converted_floats(const std::string& golden, const std::string& model) {
    using Q = numbers_of<Net>;
    const auto folder = golden_test::model_folder(golden);
    if (!folder) return;
    const auto floats = converted_floats(model);
    if (!floats) return;
    const golden_test::stored_graph<Q> graph(*folder);
    REQUIRE(graph.matched());
    const auto stored = graph.integers();
    std::size_t weights = 0;
    std::size_t biases = 0;
    std::size_t different_weights = 0;
    std::size_t different_biases = 0;
    for (std::size_t i = 0; i < sq::node_count<Q>; ++i) {
        const sq::node& n = Q::nodes[i];
        if (!n.is_linear()) continue;
        CAPTURE(n.name.view());
        const auto before = static_cast<std::size_t>(n.input());
        sq::quantized_layer ours;
        sq::detail::quantize_linear(n, Q::nodes[before].numbers.activation, stored[before].output,
                                    read_layer<Q>(*floats, n, std::string(n.name.view())), ours);
        REQUIRE(ours.weight.size() == stored[i].weight.size());
        for (std::size_t c = 0; c < ours.bias.size(); ++c) {
            const double bias = static_cast<double>(stored[i].bias[c]);
            const double difference = std::abs(static_cast<double>(ours.bias[c]) - bias);
            different_biases += difference > 0 ? 1U : 0U;
            CHECK(difference <= 1 + std::abs(bias) * 4 * 0x1p-24);
            CHECK(std::abs(ours.weight_map[c].scale / stored[i].weight_map[c].scale - 1) <= 2 * 0x1p-24F);
        }
        for (std::size_t w = 0; w < ours.weight.size(); ++w)
            different_weights += ours.weight[w] != stored[i].weight[w] ? 1U : 0U;
        weights += ours.weight.size();
        biases += ours.bias.size();
    }
    MESSAGE(model << ": compared " << weights << " weights, of which " << different_weights << " differ, and " << biases
                  << " biases, of which " << different_biases << " differ");
    CHECK(weights > 0);
    CHECK(different_weights == 0);
}

} // namespace

TEST_CASE("golden: ResNet-8, quantized from its float twin") {
    compare_with_converted_floats<sq::networks::resnet8<>>("resnet8_cifar10", "pretrainedResnet");
}
TEST_CASE("golden: visual wake words, quantized from its converted float twin") {
    compare_with_converted_floats<net>("vww_96_int8", "vww_96_float");
}
