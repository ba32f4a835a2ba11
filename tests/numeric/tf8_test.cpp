// SPDX-License-Identifier: Apache-2.0
#include <statiq/numeric/tf8.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using namespace statiq;

namespace {

tf8::ends random_ends(std::mt19937& random) {
    std::uniform_real_distribution<float> low(-8.0F, 2.0F);
    std::uniform_real_distribution<float> width(0.1F, 12.0F);
    const float min = low(random);
    return {min, min + width(random)};
}

// Computed by hand. [0, 6]: one step is 6/255; 3 is 127.5 steps, away from zero.
static_assert(tf8::quantize(3.0F, {0, 6}) == 128);
static_assert(tf8::quantize(7.0F, {0, 6}) == 255 && tf8::quantize(-1.0F, {0, 6}) == 0);
static_assert(tf8::quantize_unclamped(12.0F, {0, 6}) == 510);
// [-1, 1]: 2/255 a step, -1 is -127.5 steps, rounded to -128: zero is 128, and 1 is 128 + 128 = 256, clamped.
static_assert(tf8::offset({-1, 1}) == 128);
static_assert(tf8::quantize(1.0F, {-1, 1}) == 255 && tf8::quantize(-1.0F, {-1, 1}) == 0);
// The ends need not contain zero: its integer is then no byte.
static_assert(tf8::offset({51, 306}) == -51);

} // namespace

TEST_CASE("TF8: a byte stands for a real that is within half a step, and zero for exactly zero") {
    std::mt19937 random(601);
    for (int round = 0; round < 200; ++round) {
        const tf8::ends r = random_ends(random);
        const double step = tf8::step(r);
        std::uniform_real_distribution<float> inside(r.min, r.max);
        for (int i = 0; i < 50; ++i) {
            const float x = inside(random);
            // Rounding the lower end moves both ends by up to half a step.
            const double error =
                std::abs(static_cast<double>(tf8::dequantize(tf8::quantize(x, r), r)) - static_cast<double>(x));
            CHECK(error <= step * (1 + 1e-5));
            // x / step - min / step, each rounded: P1 (1)-(2).
            const double q = std::round(static_cast<double>(x) / step) - std::round(static_cast<double>(r.min) / step);
            CHECK(std::abs(static_cast<double>(tf8::quantize_unclamped(x, r)) - q) <= 1); // ties may fall either way
        }
        const std::int64_t zero = tf8::offset(r);
        if (zero >= 0 && zero <= 255)
            CHECK(std::abs(static_cast<double>(tf8::dequantize(static_cast<std::uint8_t>(zero), r))) <= 1e-6);
    }
}

TEST_CASE("TF8: a sum of products of bytes, brought back to bytes, is the real sum to half a step") {
    std::mt19937 random(602);
    for (int round = 0; round < 300; ++round) {
        tf8::ends x_ends = random_ends(random);
        tf8::ends w_ends = random_ends(random);
        x_ends.min = std::min(x_ends.min, 0.0F);
        w_ends.min = std::min(w_ends.min, 0.0F);
        x_ends.max = std::max(x_ends.max, 0.1F);
        w_ends.max = std::max(w_ends.max, 0.1F);
        const std::int64_t x_zero = tf8::offset(x_ends);
        const std::int64_t w_zero = tf8::offset(w_ends);
        std::int64_t sum = 0;
        for (int i = 0; i < 27; ++i)
            sum += (static_cast<std::int64_t>(random() % 256) - x_zero) *
                   (static_cast<std::int64_t>(random() % 256) - w_zero);
        const double real = static_cast<double>(sum) * tf8::step(x_ends) * tf8::step(w_ends);
        const float spread = static_cast<float>(std::abs(real)) + 0.5F;
        const tf8::ends out{-1.5F * spread, 2.0F * spread};
        const tf8::requantization back(tf8::accumulator_ends(x_ends, w_ends), out);
        const double exact = (real - static_cast<double>(out.min)) / tf8::step(out);
        // 1/2, and truncations: the scale's of 2^-16 of 2^-32 of the sum, two offsets' and a shift's of 2^-16; the ends
        // are floats, whose rounding moves the scale and the centre (half of 2^32 units) by 2^-24 of themselves.
        const double unit = tf8::step(x_ends) * tf8::step(w_ends) / tf8::step(out);
        const double allowed = 0.5 + 0x1p-13 + 0x1p-22 * std::abs(exact) +
                               0x1p-24 * 0x1p31 * unit; // both ends' roundings, halved, in the centre
        CHECK(std::abs(back(static_cast<std::int32_t>(sum)) - exact) <= allowed);
    }
}

TEST_CASE("TF8: requantization saturates, also where the product leaves 64 bits") {
    const tf8::requantization back({-1e6F, 1e6F}, {0, 1});
    CHECK(back(std::numeric_limits<std::int32_t>::max()) == 255);
    CHECK(back(std::numeric_limits<std::int32_t>::min()) == 0);
    const tf8::requantization far({-1e30F, 1e30F}, {-1, 1});
    CHECK(far(1 << 30) == 255);
    CHECK(far(-(1 << 30)) == 0);
    const tf8::requantization above({1e30F, 2e30F}, {-1, 1}), below({-2e30F, -1e30F}, {-1, 1});
    for (const std::int32_t sum : {std::numeric_limits<std::int32_t>::min(), 0, 1 << 30}) {
        CHECK(above(sum) == 255);
        CHECK(below(sum) == 0);
    }
}

TEST_CASE("TF8: reals beyond all integers are the ends") {
    for (const float large : {1e20F, 3e38F, std::numeric_limits<float>::infinity()}) {
        CHECK(tf8::quantize(large, {-1, 1}) == 255);
        CHECK(tf8::quantize(-large, {-1, 1}) == 0);
    }
}

TEST_CASE("TF8: requantization as the definition's integers say") {
    // in [-2^31, 2^31] in units of one, out [0, 255]: the scale is 2^32 2^16, so a sum is itself.
    const tf8::requantization same({-0x1p31F, 0x1p31F}, {0, 255});
    for (const int q : {0, 1, 7, 254, 255, 256, -1}) CHECK(same(q) == std::clamp(q, 0, 255));
    // out [0, 510]: halves; 2^15 is added before the shift, so ties go up.
    const tf8::requantization half({-0x1p31F, 0x1p31F}, {0, 510});
    CHECK(half(3) == 2);
    CHECK(half(5) == 3);
    CHECK(half(4) == 2);
    // out [-100, 155]: zero is the byte 100.
    const tf8::requantization moved({-0x1p31F, 0x1p31F}, {-100, 155});
    CHECK(moved(0) == 100);
    CHECK(moved(-100) == 0);
}
