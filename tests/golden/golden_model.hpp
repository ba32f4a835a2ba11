// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/io/npy.hpp>
#include <statiq/io/safetensors.hpp>
#include <statiq/passes/quantize_parameters.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "../support/data.hpp"
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Whole networks whose outputs and intermediate tensors TensorFlow Lite Micro's reference kernels computed:
/// <data>/golden/<model>/{graph.json, weights.safetensors, inputs.npy, outputs.npy, layers.safetensors}, where <data>
/// is `test_data::external()`.
namespace golden_test {

namespace sq = statiq;
using nlohmann::json;

/// A model's folder, or nothing (and the test case is skipped) when it is not there.
inline std::optional<std::filesystem::path> model_folder(const std::string& name) {
    const auto folder = std::filesystem::path("golden") / name;
    if (!test_data::has(folder / "graph.json")) return std::nullopt;
    return test_data::external() / folder;
}

/// A stored graph, and which of its tensors each node of the network type Q computes.
template <class Q>
class stored_graph {
  public:
    explicit stored_graph(const std::filesystem::path& folder)
        : weights_(sq::io::read_safetensors(folder / "weights.safetensors")) {
        std::ifstream file(folder / "graph.json");
        graph_ = json::parse(file);
        for (const json& op : graph_.at("operators"))
            for (const int tensor : op.at("outputs")) producer_[tensor] = &op;
        tensor_of_.fill(-1);
        matched_ = match(sq::node_count<Q> - 1, graph_.at("outputs").at(0).template get<int>());
    }

    /// Whether the network type has the stored graph's structure.
    [[nodiscard]] bool matched() const { return matched_; }
    [[nodiscard]] int tensor_of(std::size_t index) const { return tensor_of_[index]; }

    /// The stored integers as the network's parameters.
    [[nodiscard]] sq::quantized_parameters<Q> integers() const {
        sq::quantized_parameters<Q> result;
        for (std::size_t i = 0; i < sq::node_count<Q>; ++i) {
            result[i].output = maps(tensor_of_[i]).at(0);
            if (Q::nodes[i].is_linear()) read_linear(i, result[i]);
        }
        return result;
    }

  private:
    [[nodiscard]] const json& tensor(int index) const {
        return graph_.at("tensors").at(static_cast<std::size_t>(index));
    }

    [[nodiscard]] std::vector<sq::affine> maps(int index) const {
        const json& numbers = tensor(index).at("quantization");
        const auto scales = numbers.at("scale").template get<std::vector<double>>();
        const auto zeros = numbers.at("zero_point").template get<std::vector<std::int32_t>>();
        std::vector<sq::affine> result;
        for (std::size_t i = 0; i < scales.size(); ++i)
            result.push_back({static_cast<float>(scales[i]), zeros.at(zeros.size() == 1 ? 0 : i)});
        return result;
    }

    static bool computes(const sq::node& n, const std::string& op) {
        static const std::map<std::string_view, std::set<std::string_view>> names{
            {"convolution", {"CONV_2D", "DEPTHWISE_CONV_2D"}},
            {"dense", {"FULLY_CONNECTED"}},
            {"add", {"ADD"}},
            {"concat", {"CONCATENATION"}},
            {"max_pool", {"MAX_POOL_2D"}},
            {"average_pool", {"AVERAGE_POOL_2D"}},
            {"global_average_pool", {"MEAN"}},
            {"softmax", {"SOFTMAX"}},
            {"reshape", {"RESHAPE"}},
            {"transpose", {"TRANSPOSE"}},
            {"pad", {"PAD"}},
            {"convert", {"QUANTIZE"}}};
        const auto found = names.find(n.facts->word);
        return found != names.end() && found->second.contains(op);
    }

    /// Follows the data from a node's output tensor back to the input.
    bool match(std::size_t index, int tensor_index) {
        const sq::node& n = Q::nodes[index];
        const auto shape = tensor(tensor_index).at("shape").template get<std::vector<std::int64_t>>();
        std::int64_t size = 1;
        for (const std::int64_t extent : shape) size *= extent;
        if (size != static_cast<std::int64_t>(n.out.size())) return false;
        if (tensor_of_[index] >= 0) return tensor_of_[index] == tensor_index;
        if (n.is<sq::operations::input>()) {
            tensor_of_[index] = tensor_index;
            return producer_.count(tensor_index) == 0;
        }
        if (producer_.count(tensor_index) == 0) return false;
        const json& op = *producer_.at(tensor_index);
        const auto inputs = op.at("inputs").template get<std::vector<int>>();
        if (!computes(n, op.at("op").template get<std::string>())) {
            // A reshape moves no data: one side may have it and the other not.
            if (op.at("op") == "RESHAPE") return match(index, inputs.at(0));
            if (!n.is<sq::operations::reshape>()) return false;
            tensor_of_[index] = tensor_index;
            return match(static_cast<std::size_t>(n.input()), tensor_index);
        }
        const auto before = tensor_of_;
        const auto match_inputs = [&](bool swapped) {
            tensor_of_ = before;
            tensor_of_[index] = tensor_index;
            for (std::size_t k = 0; k < static_cast<std::size_t>(n.input_count); ++k)
                if (!match(static_cast<std::size_t>(n.inputs[k]), inputs.at(swapped ? 1 - k : k))) return false;
            return true;
        };
        if (match_inputs(false)) return true;
        return n.is<sq::operations::add>() && n.input_count == 2 && match_inputs(true);
    }

    void read_linear(std::size_t index, sq::quantized_layer& to) const {
        const sq::node& n = Q::nodes[index];
        const json& op = *producer_.at(tensor_of_[index]);
        const auto inputs = op.at("inputs").template get<std::vector<int>>();
        const sq::convolution_shape shape = n.convolution();
        const auto channels = static_cast<std::size_t>(shape.out.channels);
        const auto stored = weights_.at("t" + std::to_string(inputs.at(1))).template values<std::int8_t>();
        REQUIRE(stored.size() == shape.weight_count());
        const bool depthwise = op.at("op") == "DEPTHWISE_CONV_2D"; // stored 1HWC, all others [out]HWC
        const int depth = shape.in_channels_per_group();
        to.weight.resize(stored.size());
        for (int o = 0; o < shape.out.channels; ++o)
            for (int tap = 0; tap < shape.over.taps(); ++tap)
                for (int c = 0; c < depth; ++c)
                    to.weight[shape.weight_index(o, tap, c)] = stored[static_cast<std::size_t>(
                        depthwise ? tap * shape.out.channels + o : (o * shape.over.taps() + tap) * depth + c)];
        to.weight_map = maps(inputs.at(1));
        to.weight_map.resize(channels, to.weight_map.front());
        to.bias.assign(channels, 0);
        if (inputs.size() < 3 || inputs.at(2) < 0) return;
        const auto biases = weights_.at("t" + std::to_string(inputs.at(2))).template values<std::int32_t>();
        REQUIRE(biases.size() == channels);
        to.bias.assign(biases.begin(), biases.end());
    }

    json graph_;
    sq::io::safetensors weights_;
    std::map<int, const json*> producer_;
    std::array<int, sq::node_count<Q>> tensor_of_{};
    bool matched_ = false;
};

/// Runs every stored input through the network and compares every output and intermediate tensor that is stored.
template <class Q>
void compare_model(const std::string& name) {
    const auto folder = model_folder(name);
    if (!folder) return;
    const stored_graph<Q> graph(*folder);
    REQUIRE_MESSAGE(graph.matched(), name << ": the network type has another structure than the stored graph");
    auto model = sq::integer_model<sq::gemmlowp>(graph.integers());
    using network = typename decltype(model)::network_type;
    using in = typename network::input_type;
    using out = typename network::output_type;

    const sq::io::stored_array inputs = sq::io::read_npy(*folder / "inputs.npy");
    const sq::io::stored_array outputs = sq::io::read_npy(*folder / "outputs.npy");
    const sq::io::safetensors layers = sq::io::read_safetensors(*folder / "layers.safetensors");
    const auto stored_inputs = inputs.values<in>();
    const auto stored_outputs = outputs.values<out>();
    const std::size_t count = stored_inputs.size() / network::input_size;
    std::set<std::string> tensors;
    std::size_t values = 0;
    std::size_t wrong = 0;
    std::string first_wrong;
    const auto compare = [&]<class T>(const T* ours, std::span<const T> expected, std::string_view layer) {
        values += expected.size();
        for (std::size_t k = 0; k < expected.size(); ++k) {
            if (ours[k] == expected[k]) continue;
            if (wrong++ == 0) first_wrong = std::string(layer) + "[" + std::to_string(k) + "]";
        }
    };
    for (std::size_t sample = 0; sample < count; ++sample) {
        const auto result =
            model.network().run(stored_inputs.subspan(sample * network::input_size, network::input_size),
                                [&]<std::size_t I, class T>(sq::node_index<I>, const T* ours) {
                                    const std::string stored =
                                        "in" + std::to_string(sample) + ".t" + std::to_string(graph.tensor_of(I));
                                    if (!layers.contains(stored)) return;
                                    const auto expected = layers.at(stored).template values<T>();
                                    REQUIRE(expected.size() == Q::nodes[I].out.size());
                                    tensors.insert(stored);
                                    compare(ours, expected, Q::nodes[I].name.view());
                                });
        compare(result.data(), stored_outputs.subspan(sample * network::output_size, network::output_size), "output");
    }
    MESSAGE(name << ": compared " << count << " outputs and " << tensors.size() << " of " << layers.size()
                 << " intermediate tensors, " << values
                 << " values; first different: " << (first_wrong.empty() ? "none" : first_wrong));
    CHECK(wrong == 0);
    CHECK(tensors.size() == layers.size());
}

} // namespace golden_test
