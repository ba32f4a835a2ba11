// SPDX-License-Identifier: Apache-2.0
#include <statiq/io/half.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

using statiq::io::bfloat16;
using statiq::io::float16;

TEST_CASE("every binary16 converts to the number its fields mean") {
    for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
        const auto value = static_cast<float>(float16{static_cast<std::uint16_t>(bits)});
        const int exponent = static_cast<int>((bits >> 10) & 31);
        const int fraction = static_cast<int>(bits & 1023);
        const bool negative = (bits & 0x8000) != 0;
        CAPTURE(bits);
        REQUIRE(std::signbit(value) == negative);
        if (exponent == 31 && fraction != 0) {
            REQUIRE(std::isnan(value));
        } else if (exponent == 31) {
            REQUIRE(std::abs(value) == std::numeric_limits<float>::infinity());
        } else {
            const double magnitude =
                exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 15 - 10);
            REQUIRE(static_cast<double>(std::abs(value)) == magnitude);
        }
    }
}

TEST_CASE("bfloat16 is a float with the lower half of its fraction zero") {
    CHECK(static_cast<float>(bfloat16{0x3F80}) == 1.0f);
    CHECK(static_cast<float>(bfloat16{0xC040}) == -3.0f);
    CHECK(static_cast<float>(bfloat16{0x0001}) == std::ldexp(1.0f, -133));
    CHECK(static_cast<float>(bfloat16{0xFF80}) == -std::numeric_limits<float>::infinity());
    CHECK(std::isnan(static_cast<float>(bfloat16{0x7FC0})));
}

static_assert(static_cast<float>(float16{0x3C00}) == 1.0f && static_cast<float>(bfloat16{0x3F80}) == 1.0f);
