// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/safetensors.hpp>
#include <statiq/kernels/reference/fixed_functions.hpp>
#include <statiq/kernels/reference/fixed_functions_of_shorts.hpp>
#include <statiq/kernels/reference/interpolate.hpp>
#include <statiq/numeric/fixed_point.hpp>

#include <doctest/doctest.h>

#include "../support/data.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

using namespace statiq;

TEST_CASE("multiply_by_quantized_multiplier equals TensorFlow Lite's") {
    const std::filesystem::path triples = "golden/ops/multiply_by_quantized_multiplier.safetensors";
    if (!test_data::has(triples)) return;
    const auto file = io::read_safetensors(test_data::external() / triples);
    const auto x = file.at("x").values<std::int32_t>();
    const auto multiplier = file.at("multiplier").values<std::int32_t>();
    const auto shift = file.at("shift").values<std::int32_t>();
    const auto result = file.at("result").values<std::int32_t>();
    REQUIRE(!x.empty());
    REQUIRE(x.size() == multiplier.size());
    REQUIRE(x.size() == shift.size());
    REQUIRE(x.size() == result.size());
    std::size_t differ_when_rounded_once = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const fixed_point factor{multiplier[i], shift[i]};
        CAPTURE(i);
        REQUIRE(multiply_by_quantized_multiplier(x[i], factor) == result[i]);
        differ_when_rounded_once += multiply_by_quantized_multiplier<rounding_steps::one>(x[i], factor) != result[i];
    }
    CHECK(differ_when_rounded_once > 0);
    MESSAGE("compared: " << x.size() << " triples; rounding once would change " << differ_when_rounded_once);
}

TEST_CASE("the logistic function and the hyperbolic tangent in fixed point equal gemmlowp's") {
    const std::filesystem::path primitives = "golden/ops2/primitives2.safetensors";
    if (!test_data::has(primitives)) return;
    const auto file = io::read_safetensors(test_data::external() / primitives);
    const auto compare = [&](const std::string& name, auto&& function) {
        const auto in = file.at(name + ".in").values<std::int32_t>();
        const auto out = file.at(name + ".out").values<std::int32_t>();
        REQUIRE(!in.empty());
        REQUIRE(in.size() == out.size());
        for (std::size_t i = 0; i < in.size(); ++i) {
            CAPTURE(in[i]);
            REQUIRE(function(in[i]) == out[i]);
        }
    };
    compare("logistic_q4_27", kernels::reference::fixed_logistic);
    compare("tanh_q4_27", kernels::reference::fixed_tanh);
}

TEST_CASE("tables of 16-bit functions equal TensorFlow Lite's") {
    const std::filesystem::path primitives = "golden/ops2/primitives2.safetensors";
    if (!test_data::has(primitives)) return;
    const auto file = io::read_safetensors(test_data::external() / primitives);
    const auto sigmoids = file.at("sigmoid_table.int32").values<std::int32_t>();
    const auto entries = kernels::reference::detail::sigmoid_table::made().entries();
    CHECK(std::equal(entries.begin(), entries.end(), sigmoids.begin(), sigmoids.end()));

    // The two of its softmax: e^x in [-10, 0] and 1 / (1 + x) in [0, 1].
    const affine fractions{2.0F / 65535.0F, 0};
    const auto compare = [&](const std::string& name, auto&& function, const affine& input) {
        const auto expected = file.at("softmax_int16." + name).values<std::int16_t>();
        const auto made = kernels::reference::interpolate(function, input, fractions);
        CHECK(std::equal(made.entries.begin(), made.entries.end(), expected.begin(), expected.end()));
    };
    compare("exp_lut", [](float x) { return std::exp(x); }, {static_cast<float>(10.0 / 65535), 32767});
    compare("one_over_one_plus_x_lut", [](float x) { return 1.0F / (1.0F + x); },
            {static_cast<float>(1.0 / 65535), -32768});
}
