// SPDX-License-Identifier: Apache-2.0
#include <statiq/kernels/pool.hpp>

#include <doctest/doctest.h>

#include "../simd/archs.hpp"
#include "support.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace reference = statiq::kernels::reference;
using namespace kernel_test;

namespace {

/// Visits the values of channel c which output (y, x) pools: every input pixel is asked whether it lies on a tap.
template <class T, class Visit>
void for_each_pooled(const windowed& shape, const std::vector<T>& input, int y, int x, int c, Visit visit) {
    const statiq::window& over = shape.over;
    for (int row = 0; row < shape.in.height; ++row)
        for (int column = 0; column < shape.in.width; ++column) {
            const int down = row + over.pad_top - y * over.stride_height;
            const int right = column + over.pad_left - x * over.stride_width;
            if (down < 0 || right < 0 || down % over.dilation_height != 0 || right % over.dilation_width != 0) continue;
            if (down / over.dilation_height >= over.kernel_height || right / over.dilation_width >= over.kernel_width)
                continue;
            visit(input[static_cast<std::size_t>((row * shape.in.width + column) * shape.in.channels + c)]);
        }
}

template <class T>
struct pooled {
    windowed shape{};
    std::vector<T> input{}, maxima{}, means{};
    reference::bound<T> lowest{}, highest{};
};

template <class T>
pooled<T> pool_at_random(std::mt19937& random) {
    pooled<T> result;
    result.shape = random_windowed(random, uniform(random, 1, 70));
    result.input = random_values<T>(random, result.shape.in.size());
    result.maxima.resize(result.shape.out.size());
    result.means.resize(result.shape.out.size());
    if constexpr (reference::stored_integer<T>) {
        const int a = uniform(random, lowest<T>(), highest<T>());
        const int b = uniform(random, lowest<T>(), highest<T>());
        result.lowest = std::min(a, b);
        result.highest = std::max(a, b);
    } else {
        result.lowest = -6;
        result.highest = 6;
    }
    reference::pool_arguments<T> pool{.input = result.input.data(),
                                      .in = result.shape.in,
                                      .out = result.shape.out,
                                      .over = result.shape.over,
                                      .lowest = result.lowest,
                                      .highest = result.highest,
                                      .output = result.maxima.data()};
    reference::max_pool(pool);
    pool.output = result.means.data();
    reference::average_pool(pool);
    // Every instruction set gives the definition's bits.
    const support::guarded_vector<T> guarded(result.input.begin(), result.input.end());
    pool.input = guarded.data();
    for_each_arch([&](auto arch) {
        support::guarded_vector<T> vector(result.means.size());
        pool.output = vector.data();
        statiq::kernels::max_pool(pool, arch);
        REQUIRE(std::equal(vector.begin(), vector.end(), result.maxima.begin()));
        statiq::kernels::average_pool(pool, arch);
        REQUIRE(std::equal(vector.begin(), vector.end(), result.means.begin()));
    });
    return result;
}

} // namespace

TEST_CASE_TEMPLATE("integer pools equal the definition", T, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t) {
    std::mt19937 random(1);
    for (int round = 0; round < 150; ++round) {
        const pooled<T> pool = pool_at_random<T>(random);
        std::size_t i = 0;
        std::size_t wrong = 0;
        for (int y = 0; y < pool.shape.out.height; ++y)
            for (int x = 0; x < pool.shape.out.width; ++x)
                for (int c = 0; c < pool.shape.out.channels; ++c, ++i) {
                    int maximum = std::numeric_limits<int>::lowest();
                    double sum = 0;
                    int count = 0;
                    for_each_pooled(pool.shape, pool.input, y, x, c, [&](T value) {
                        maximum = std::max<int>(maximum, value);
                        sum += value;
                        ++count;
                    });
                    REQUIRE(count > 0);
                    // Sums are exact in double, ties are multiples of 1/2, and other quotients are at least
                    // 1 / (2 count) away from one: std::round decides as exact arithmetic would.
                    const int mean = static_cast<int>(std::round(sum / count));
                    wrong += pool.maxima[i] != std::clamp(maximum, pool.lowest, pool.highest);
                    wrong += pool.means[i] != std::clamp(mean, pool.lowest, pool.highest);
                }
        REQUIRE(wrong == 0);
    }
}

TEST_CASE("float pools equal the definition") {
    std::mt19937 random(2);
    for (int round = 0; round < 100; ++round) {
        const pooled<float> pool = pool_at_random<float>(random);
        std::size_t i = 0;
        for (int y = 0; y < pool.shape.out.height; ++y)
            for (int x = 0; x < pool.shape.out.width; ++x)
                for (int c = 0; c < pool.shape.out.channels; ++c, ++i) {
                    float maximum = -std::numeric_limits<float>::infinity();
                    double sum = 0;
                    int count = 0;
                    for_each_pooled(pool.shape, pool.input, y, x, c, [&](float value) {
                        maximum = std::max(maximum, value);
                        sum += static_cast<double>(value);
                        ++count;
                    });
                    REQUIRE(pool.maxima[i] == std::clamp(maximum, -6.0f, 6.0f));
                    // The sums differ by the order of at most 25 double additions, the result by one rounding to float.
                    const double mean = std::clamp(sum / count, -6.0, 6.0);
                    REQUIRE(std::abs(static_cast<double>(pool.means[i]) - mean) <= 0x1p-24 * std::abs(mean) + 1e-13);
                }
    }
}

TEST_CASE("an average pool rounds stored values half away from zero") {
    const std::array<std::int8_t, 2> input{-2, -1};
    std::int8_t output = 0;
    const reference::pool_arguments<std::int8_t> pool{.input = input.data(),
                                                      .in = {1, 2, 1},
                                                      .out = {1, 1, 1},
                                                      .over = {.kernel_height = 1, .kernel_width = 2},
                                                      .output = &output};
    reference::average_pool(pool);
    CHECK(output == -2);
}

TEST_CASE("pools stay inside the hull of their taps, and a pool of a constant is that constant") {
    std::mt19937 random(3);
    for (int round = 0; round < 50; ++round) {
        const windowed shape = random_windowed(random, uniform(random, 1, 40));
        const auto constant = static_cast<std::int8_t>(uniform(random, -128, 127));
        const std::vector<std::int8_t> input(shape.in.size(), constant);
        std::vector<std::int8_t> output(shape.out.size());
        const reference::pool_arguments<std::int8_t> pool{
            .input = input.data(), .in = shape.in, .out = shape.out, .over = shape.over, .output = output.data()};
        reference::max_pool(pool);
        REQUIRE(output == std::vector<std::int8_t>(shape.out.size(), constant));
        std::fill(output.begin(), output.end(), std::int8_t{0});
        reference::average_pool(pool);
        REQUIRE(output == std::vector<std::int8_t>(shape.out.size(), constant));
    }
}

TEST_CASE("a window without a tap inside gives the lowest value") {
    const std::uint8_t input = 200;
    std::uint8_t output = 77;
    // One output whose only tap is row -1.
    const reference::pool_arguments<std::uint8_t> pool{
        .input = &input, .in = {1, 1, 1}, .out = {1, 1, 1}, .over = {.pad_top = 1}, .lowest = 3, .output = &output};
    reference::max_pool(pool);
    CHECK(output == 3);
    output = 77;
    reference::average_pool(pool);
    CHECK(output == 3);
}

namespace {

/// 2 x 2 pools of {1 2; 3 4} and of the right column {2; 4} (the window's other half lies outside).
template <class T>
constexpr bool pools_at_compile_time() {
    const std::array<T, 4> input{1, 2, 3, 4};
    std::array<T, 2> output{};
    reference::pool_arguments<T> pool{.input = input.data(),
                                      .in = {2, 2, 1},
                                      .out = {1, 2, 1},
                                      .over = {.kernel_height = 2, .kernel_width = 2},
                                      .output = output.data()};
    reference::max_pool(pool);
    if (output != std::array<T, 2>{4, 4}) return false;
    reference::average_pool(pool); // 10 / 4 rounds up to 3 in integers
    return output[0] == (reference::stored_integer<T> ? T{3} : static_cast<T>(2.5f)) && output[1] == T{3};
}
static_assert(pools_at_compile_time<std::uint8_t>());
static_assert(pools_at_compile_time<std::int16_t>());
static_assert(pools_at_compile_time<float>());

} // namespace

TEST_CASE("a window with no tap inside gives the lowest value, on every instruction set") {
    const std::array<std::uint8_t, 3> pixel{9, 200, 77};
    std::array<std::uint8_t, 27> output{};
    const reference::pool_arguments<std::uint8_t> pool{.input = pixel.data(),
                                                       .in = {1, 1, 3},
                                                       .out = {3, 3, 3},
                                                       .over = {.pad_top = 1, .pad_left = 1},
                                                       .lowest = 5,
                                                       .output = output.data()};
    const auto check = [&] {
        for (std::size_t i = 0; i < output.size(); ++i) CHECK(output[i] == (i / 3 == 4 ? pixel[i % 3] : 5));
    };
    for_each_arch([&](auto arch) {
        statiq::kernels::max_pool(pool, arch);
        check();
        statiq::kernels::average_pool(pool, arch);
        check();
    });
}
