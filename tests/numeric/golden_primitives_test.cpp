// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/safetensors.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/fixed_point.hpp>

#include <doctest/doctest.h>

#include "../support/data.hpp"
#include <cstdint>
#include <string>

// TensorFlow Lite Micro's own outputs for its primitives: ours must be equal, bit for bit.

using namespace statiq;

namespace {

io::safetensors golden(const std::string& name) {
    return io::read_safetensors(test_data::golden() / "ops" / (name + ".safetensors"));
}

} // namespace

TEST_CASE("the high multiply and the rounding divide equal TensorFlow Lite's") {
    const auto file = golden("gemmlowp_primitives");

    const auto a = file.at("srdhm.a").values<std::int32_t>();
    const auto b = file.at("srdhm.b").values<std::int32_t>();
    const auto high = file.at("srdhm.result").values<std::int32_t>();
    REQUIRE(!a.empty());
    REQUIRE(a.size() == b.size());
    REQUIRE(a.size() == high.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        REQUIRE(saturating_rounding_doubling_high_multiply(a[i], b[i]) == high[i]);
    }

    const auto x = file.at("rdbypot.x").values<std::int32_t>();
    const auto exponent = file.at("rdbypot.exponent").values<std::int32_t>();
    const auto quotient = file.at("rdbypot.result").values<std::int32_t>();
    REQUIRE(!x.empty());
    REQUIRE(x.size() == exponent.size());
    REQUIRE(x.size() == quotient.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        REQUIRE(rounding_divide_by_power_of_two(x[i], exponent[i]) == quotient[i]);
    }
    MESSAGE("compared: " << a.size() << " high multiplies, " << x.size() << " rounding divides");
}

TEST_CASE("quantize_multiplier equals TensorFlow Lite's") {
    const auto file = golden("quantize_multiplier");
    const auto value = file.at("value").values<double>();
    const auto multiplier = file.at("multiplier").values<std::int32_t>();
    const auto shift = file.at("shift").values<std::int32_t>();
    REQUIRE(!value.empty());
    REQUIRE(value.size() == multiplier.size());
    REQUIRE(value.size() == shift.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
        CAPTURE(value[i]);
        REQUIRE(quantize_multiplier(value[i]).multiplier == multiplier[i]);
        REQUIRE(quantize_multiplier(value[i]).shift == shift[i]);
    }
    MESSAGE("compared: " << value.size() << " multipliers");
}

TEST_CASE("the quantized ends of fused activations equal TensorFlow Lite's") {
    const auto file = golden("activation_range");
    const auto scale = file.at("scale").values<float>();
    const auto zero_point = file.at("zero_point").values<std::int32_t>();
    const auto activation = file.at("activation").values<std::int32_t>();
    const auto lowest = file.at("activation_min").values<std::int32_t>();
    const auto highest = file.at("activation_max").values<std::int32_t>();
    REQUIRE(!scale.empty());
    REQUIRE(scale.size() == zero_point.size());
    REQUIRE(scale.size() == activation.size());
    REQUIRE(scale.size() == lowest.size());
    REQUIRE(scale.size() == highest.size());
    constexpr number_format int8 = quantized<8, asymmetric_signed>::format;
    constexpr float limit[][2] = {{-1e30F, 1e30F}, {0, 1e30F}, {-1, 1}, {0, 6}}; // none, ReLU, ReLU1, ReLU6
    for (std::size_t i = 0; i < scale.size(); ++i) {
        const affine a{scale[i], zero_point[i]};
        const auto& ends = limit[activation[i]];
        CAPTURE(i);
        REQUIRE(quantize(ends[0], a, int8) == lowest[i]);
        REQUIRE(quantize(ends[1], a, int8) == highest[i]);
    }
    MESSAGE("compared: " << scale.size() << " activation ranges");
}
