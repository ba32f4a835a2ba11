// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/observers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

using namespace statiq;

namespace {

std::vector<batch_range> random_batches(std::size_t count, std::mt19937& random) {
    std::uniform_real_distribution<float> low(-3.0F, 1.0F);
    std::uniform_real_distribution<float> width(0.0F, 4.0F);
    std::vector<batch_range> batches(count);
    for (auto& batch : batches) {
        batch.min = low(random);
        batch.max = batch.min + width(random);
    }
    return batches;
}

template <observer Rule>
range observe(const Rule& rule, const std::vector<batch_range>& batches) {
    range so_far{-1000, 1000}; // what was there before the first batch does not count
    for (std::size_t i = 0; i < batches.size(); ++i) rule.update(batches[i], so_far, i == 0);
    return so_far;
}

} // namespace

TEST_CASE("a new batch range is empty, and takes whatever it sees first") {
    batch_range fresh;
    CHECK(fresh.empty());
    fresh.min = std::min(fresh.min, -2.0F);
    fresh.max = std::max(fresh.max, -2.0F);
    CHECK_FALSE(fresh.empty());
}

TEST_CASE("min_max holds the least and the greatest value of all batches") {
    CHECK(observe(min_max{}, {{1, 2}}) == range{1, 2}); // not widened to zero: that is the quantizer's
    CHECK(observe(min_max{}, {{-1, 2}, {-0.5F, 3}, {-4, -3}}) == range{-4, 3});
    std::mt19937 random(151);
    for (int round = 0; round < 50; ++round) {
        const auto batches = random_batches(1 + random() % 9, random);
        const range seen = observe(min_max{}, batches);
        bool reached_min = false;
        bool reached_max = false;
        for (const auto& batch : batches) {
            CHECK(seen.min <= batch.min);
            CHECK(seen.max >= batch.max);
            reached_min = reached_min || seen.min == batch.min;
            reached_max = reached_max || seen.max == batch.max;
        }
        CHECK((reached_min && reached_max));
    }
}

TEST_CASE("moving_average weighs batches as r <- m r + (1 - m) seen, from the first batch on") {
    CHECK(moving_average{}.momentum == 0.95F); // P6
    CHECK(observe(moving_average{}, {{-1, 2}}) == range{-1, 2});
    // 0.5 (0.5 * 1 + 0.5 * 3) + 0.5 * 8 = 5, all exact
    CHECK(observe(moving_average{.momentum = 0.5F}, {{-1, 1}, {-3, 3}, {-8, 8}}) == range{-5, 5});
    CHECK(observe(moving_average{.momentum = 0}, {{-1, 1}, {-3, 3}, {-8, 2}}) == range{-8, 2});

    // Unrolled: m^(n-1) first + (1 - m) sum of m^(n-1-i) seen_i. Each step rounds four times: 2^-22 of what it adds.
    std::mt19937 random(152);
    for (int round = 0; round < 50; ++round) {
        const auto batches = random_batches(1 + random() % 20, random);
        const moving_average rule{.momentum = round % 2 == 0 ? 0.95F : 0.7F};
        const auto m = static_cast<double>(rule.momentum);
        double min = static_cast<double>(batches[0].min);
        double max = static_cast<double>(batches[0].max);
        for (std::size_t i = 1; i < batches.size(); ++i) {
            min = m * min + (1 - m) * static_cast<double>(batches[i].min);
            max = m * max + (1 - m) * static_cast<double>(batches[i].max);
        }
        const range seen = observe(rule, batches);
        const double tolerance = 5 * 0x1p-22 * static_cast<double>(batches.size()); // |ends| <= 5
        CHECK(std::abs(static_cast<double>(seen.min) - min) <= tolerance);
        CHECK(std::abs(static_cast<double>(seen.max) - max) <= tolerance);
    }
}
