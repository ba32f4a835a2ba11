// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/io/safetensors.hpp>
#include <statiq/kernels/reference/broadcast.hpp>
#include <statiq/numeric/fixed_point.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/tensor/extents.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "../simd/archs.hpp"
#include "../support/data.hpp"
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

/// Per-operator cases whose outputs TensorFlow Lite Micro's reference kernels computed: tests/data/golden.
namespace kernel_test {

using nlohmann::json;

/// The cases of one operator: their parameters, and their tensors c<case>.input, c<case>.output, ...
struct golden_cases {
    std::string name;
    json cases;
    statiq::io::safetensors tensors;

    [[nodiscard]] statiq::io::tensor_view tensor(const json& one, const std::string& tensor_name) const {
        return tensors.at("c" + std::to_string(one.at("case").get<int>()) + "." + tensor_name);
    }
    template <class T>
    [[nodiscard]] std::span<const T> values(const json& one, const std::string& tensor_name) const {
        return tensor(one, tensor_name).values<T>();
    }
};

/// @param name a file's path in tests/data/golden, without its extension: "ops/add"
inline golden_cases golden(const std::string& name) {
    const std::string file = (test_data::golden() / name).string();
    std::ifstream parameters(file + ".json");
    return {name, json::parse(parameters).at("cases"), statiq::io::read_safetensors(file + ".safetensors")};
}

/// What has been compared of one operator.
class tally {
  public:
    /// Runs a case through the definition and through this machine's vector kernel.
    /// @param run run(arch, output) computes `expected.size()` values
    template <class T, class Run>
    void compare(std::span<const T> expected, Run run) {
        ++cases_;
        for_each_arch(statiq::simd::arch_list<statiq::simd::scalar, statiq::simd::native_arch>{}, [&](auto arch) {
            std::vector<T> ours(expected.size());
            run(arch, ours.data());
            values_ += ours.size();
            for (std::size_t i = 0; i < ours.size(); ++i) wrong_ += ours[i] != expected[i] ? 1U : 0U;
        });
    }
    /// Every case of the file was compared, apart from `left_out` of them, and no value differs.
    void check(const golden_cases& data, std::size_t left_out = 0) const {
        MESSAGE(data.name << ": compared " << cases_ << " cases, " << values_ << " values; left out: " << left_out);
        CHECK(cases_ > 0);
        CHECK(cases_ + left_out == data.cases.size());
        CHECK(wrong_ == 0);
    }

  private:
    std::size_t cases_ = 0;
    std::size_t values_ = 0;
    std::size_t wrong_ = 0;
};

inline float scale_of(const json& one, const char* name) { return static_cast<float>(one.at(name).get<double>()); }

/// s_x / s_y
inline double scale_ratio(const json& one) {
    return static_cast<double>(scale_of(one, "input_scale")) / static_cast<double>(scale_of(one, "output_scale"));
}

inline statiq::fixed_point fixed_point_of(const json& one, const std::string& prefix) {
    return {one.at(prefix + "multiplier").get<std::int32_t>(), one.at(prefix + "shift").get<std::int32_t>()};
}

using shape = std::vector<int>;

inline std::size_t size_of(std::span<const int> extents) {
    std::size_t size = 1;
    for (const int extent : extents) size *= static_cast<std::size_t>(extent);
    return size;
}

/// A shape of up to four extents as N, H, W, C.
inline shape image_shape(const json& of) {
    auto extents = of.get<shape>();
    while (extents.size() < 4) extents.insert(extents.begin(), 1);
    return extents;
}
inline statiq::extents image_of(const shape& nhwc) { return {nhwc[1], nhwc[2], nhwc[3]}; }

inline statiq::real_clamp activation_named(const std::string& name) {
    if (name == "RELU") return statiq::relu_clamp;
    if (name == "RELU6") return statiq::relu6_clamp;
    if (name == "RELU_N1_TO_1") return statiq::relu_n1_to_1_clamp;
    REQUIRE(name == "NONE");
    return {};
}

} // namespace kernel_test
