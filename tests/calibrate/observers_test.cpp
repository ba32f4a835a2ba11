// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/entropy.hpp>
#include <statiq/calibrate/least_squares.hpp>
#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/calibrate/observers.hpp>
#include <statiq/calibrate/percentile.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace statiq;

namespace {

using values_of_batch = std::vector<float>;

static_assert(observer<min_max> && observer<moving_average> && observer<percentile> && observer<entropy> &&
              observer<least_squares> && observer<observer_choice>);

std::vector<values_of_batch> random_batches(std::size_t count, std::mt19937& random) {
    std::uniform_real_distribution<float> low(-3.0F, 1.0F);
    std::uniform_real_distribution<float> width(0.0F, 4.0F);
    std::vector<values_of_batch> batches(count);
    for (auto& batch : batches) {
        const float least = low(random);
        batch.resize(1 + random() % 40);
        for (float& x : batch) x = least + width(random);
    }
    return batches;
}

range ends_of(const values_of_batch& batch) {
    return {*std::min_element(batch.begin(), batch.end()), *std::max_element(batch.begin(), batch.end())};
}

template <observer Rule>
auto observed(const Rule& rule, const std::vector<values_of_batch>& batches) {
    auto state = rule.start(node{});
    for (int pass = 0; pass < rule.passes(); ++pass) {
        for (const auto& batch : batches) {
            state.see(batch);
            state.end_batch();
        }
        state.end_pass();
    }
    return state;
}
template <observer Rule>
range observe(const Rule& rule, const std::vector<values_of_batch>& batches) {
    return observed(rule, batches).result();
}

/// The data of make_observers_reference.py, from the same integers.
class words {
  public:
    explicit words(std::uint64_t seed) : state_(seed) {}
    std::int64_t next() {
        state_ = (1103515245 * state_ + 12345) % (std::uint64_t{1} << 31);
        return static_cast<std::int64_t>(state_ >> 15);
    }

  private:
    std::uint64_t state_;
};
std::vector<double> bell(std::uint64_t seed) {
    words from(seed);
    std::vector<double> values(20000);
    for (double& x : values) {
        std::int64_t sum = -12 * 32768;
        for (int i = 0; i < 12; ++i) sum += from.next();
        x = static_cast<double>(sum) / 16384;
    }
    return values;
}
values_of_batch dataset(const std::string& name) {
    std::vector<double> values = bell(1);
    if (name == "peaked") {
        const std::vector<double> other = bell(2);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] *= other[i] / 16;
    } else if (name == "far") {
        for (double& x : values) x = std::abs(x) + 100;
    } else if (name != "normal") {
        for (std::size_t i = 0; i < values.size(); i += 997) values[i] *= 8;
        if (name == "relu")
            for (double& x : values) x = std::max(x, 0.0);
    }
    values_of_batch floats;
    for (const double x : values) floats.push_back(static_cast<float>(x));
    return floats;
}

nlohmann::json reference() {
    std::ifstream file(std::string(STATIQ_SOURCE_DIR) + "/tests/calibrate/observers_reference.json");
    REQUIRE(file);
    return nlohmann::json::parse(file);
}

/// The mean squared error of values in the integers of a range.
double squared_error(const values_of_batch& values, const number_format& format, range r) {
    const affine map = choose_affine(format, r);
    double sum = 0;
    for (const float x : values) {
        const double error = static_cast<double>(x) - static_cast<double>(fake_quantize(x, map, format));
        sum += error * error;
    }
    return sum / static_cast<double>(values.size());
}

} // namespace

TEST_CASE("extremes are empty until they see something, and see everything") {
    extremes fresh;
    CHECK(fresh.empty());
    CHECK(fresh.ends() == range{});
    fresh.see({});
    CHECK(fresh.empty());
    std::mt19937 random(150);
    for (std::size_t size = 1; size < 70; ++size) {
        values_of_batch values(size, -1.0F);
        values[random() % size] = -5.0F;
        const std::size_t at = random() % size;
        values[at] = values[at] == -5.0F ? -5.0F : 2.0F;
        extremes seen;
        seen.see(values);
        CHECK(seen.ends() == ends_of(values));
    }
}

TEST_CASE("min_max holds the least and the greatest value of all samples") {
    CHECK(observe(min_max{}, {{1, 2}}) == range{1, 2}); // not widened to zero: that is the quantizer's
    CHECK(observe(min_max{}, {{-1, 2}, {-0.5F, 3}, {-4, -3}}) == range{-4, 3});
    std::mt19937 random(151);
    for (int round = 0; round < 50; ++round) {
        const auto batches = random_batches(1 + random() % 9, random);
        values_of_batch all;
        for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
        CHECK(observe(min_max{}, batches) == ends_of(all));
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
        double min = static_cast<double>(ends_of(batches[0]).min);
        double max = static_cast<double>(ends_of(batches[0]).max);
        for (std::size_t i = 1; i < batches.size(); ++i) {
            min = m * min + (1 - m) * static_cast<double>(ends_of(batches[i]).min);
            max = m * max + (1 - m) * static_cast<double>(ends_of(batches[i]).max);
        }
        const range seen = observe(rule, batches);
        const double tolerance = 5 * 0x1p-22 * static_cast<double>(batches.size()); // |ends| <= 5
        CHECK(std::abs(static_cast<double>(seen.min) - min) <= tolerance);
        CHECK(std::abs(static_cast<double>(seen.max) - max) <= tolerance);
    }
}

TEST_CASE("a moving average sees each batch once, however often the data are shown") {
    auto state = moving_average{.momentum = 0.5F}.start(node{});
    for (int pass = 0; pass < 3; ++pass) {
        state.see(std::vector<float>{-1, 1});
        state.end_batch();
        state.see(std::vector<float>{-3, 3}); // a last batch that nobody ended
        state.end_pass();
    }
    CHECK(state.result() == range{-2, 2});
}

TEST_CASE("percentiles are NumPy's to the width of a bin") {
    const nlohmann::json all = reference();
    for (const auto& one : all.items()) {
        const std::string name = one.key();
        const nlohmann::json& expected = one.value();
        CAPTURE(name);
        const values_of_batch values = dataset(name);
        for (std::size_t i = 0; i < 4; ++i)
            REQUIRE(static_cast<double>(values[i]) == expected["first"][i].get<double>());
        const double width = expected["width"];
        for (const auto& [share, ends] : expected["percentiles"].items()) {
            const range found = observe(percentile{.share = std::stod(share)}, {values});
            const double rounding = 0x1p-22 * 120; // ends are rounded to float, |ends| < 120
            CHECK(std::abs(static_cast<double>(found.min) - ends[0].get<double>()) <= width + rounding);
            CHECK(std::abs(static_cast<double>(found.max) - ends[1].get<double>()) <= width + rounding);
        }
    }
}

TEST_CASE("percentiles: an end where values pile up stays in its bin; equal values are their own range") {
    const range found = observe(percentile{.share = 90}, {{0, 0, 0, 0, 0, 0, 0, 1, 2, 1000}});
    const float width = 1000.0F / 2048;
    CHECK(found.min <= width);
    CHECK(found.max <= 2 + width);
    CHECK(observe(percentile{}, {{3, 3, 3}}) == range{3, 3});
    CHECK(observe(percentile{.share = 100}, {{-1, 0.25F, 5}}) == range{-1, 5});
}

TEST_CASE("the entropy observer's threshold is the recipe's, computed by NumPy and SciPy") {
    const nlohmann::json all = reference();
    for (const auto& one : all.items()) {
        const std::string name = one.key();
        const nlohmann::json& expected = one.value();
        CAPTURE(name);
        const values_of_batch values = dataset(name);
        const range ends = ends_of(values);
        for (const bool first_bin : {true, false})
            for (const auto& [levels, threshold] : expected[first_bin ? "kl" : "kl_without_first_bin"].items()) {
                const range found = observe(entropy{.levels = std::stoul(levels), .first_bin = first_bin}, {values});
                const double t = threshold;
                const double tolerance = 0x1p-23 * t; // one rounding to float
                CHECK(std::abs(static_cast<double>(found.max) - std::min(t, static_cast<double>(ends.max))) <=
                      tolerance);
                CHECK(std::abs(static_cast<double>(found.min) - std::max(-t, static_cast<double>(ends.min))) <=
                      tolerance);
            }
    }
}

TEST_CASE("entropy: what is in few bins or in none keeps its extremes") {
    CHECK(observe(entropy{}, {{3, 3}}) == range{3, 3}); // every choice of bins but all of them diverges
    CHECK(observe(entropy{}, {{0, 0}}) == range{0, 0});
    CHECK(observe(entropy{.bins = 64, .levels = 128}, {{-1, 0.5F}}) == range{-1, 0.5F});
}

TEST_CASE("least squares: the error of its range is that of the best range of NumPy's grid, or less") {
    const nlohmann::json all = reference();
    for (const auto& one : all.items()) {
        const std::string name = one.key();
        const nlohmann::json& expected = one.value();
        CAPTURE(name);
        const values_of_batch values = dataset(name);
        values_of_batch tenth;
        for (std::size_t i = 0; i < values.size(); i += 10) tenth.push_back(values[i]);
        for (const auto& [bits, error] : expected["least_error"].items()) {
            const number_format format =
                bits == "8" ? quantized<8, asymmetric>::format : quantized<4, asymmetric>::format;
            const double found = squared_error(tenth, format, observe(least_squares{.format = format}, {tenth}));
            CHECK(found <= 1.02 * error.get<double>()); // the observer sees bins, and moves one end at a time
            CHECK(found <= squared_error(tenth, format, ends_of(tenth)) * (1 + 1e-3));
        }
    }
}

TEST_CASE("least squares: outliers are worth clipping at four bits, and not at sixteen") {
    const values_of_batch values = dataset("outliers");
    const range ends = ends_of(values);
    const range four = observe(least_squares{.format = quantized<4, asymmetric>::format}, {values});
    const range sixteen = observe(least_squares{.format = quantized<16, asymmetric>::format}, {values});
    CHECK(four.max < 0.6F * ends.max);
    CHECK(sixteen.max > 0.9F * ends.max);
}

TEST_CASE("least squares: an end that was best beside the other's old place moves once more") {
    // 2 bits, ends in steps of 1, bins of width 1: one value at -3.5, six at -2.5, twenty at 1.5, two at 3.5.
    //   [-4, 4] first:  upper end at 2: levels -4 -2 0 2, errors 0.25 + 6 0.25 + 20 0.25 + 2 2.25 = 11.25, the least
    //   [-4, 2]:        lower end at -2: levels -8/3 -4/3 0 4/3, (25 + 6 1 + 20 1 + 2 169) / 36 = 389/36 = 10.8
    //   [-2, 2], again: upper end at 3: levels -5/3 0 5/3 10/3, (121 + 6 25 + 20 1 + 2 1) / 36 = 293/36 = 8.1
    std::vector<float> values{-4, 4, 4};
    values.insert(values.end(), 6, -2.5F);
    values.insert(values.end(), 20, 1.5F);
    const auto state =
        observed(least_squares{.format = quantized<2, asymmetric>::format, .bins = 8, .steps = 4}, {values});
    CHECK(state.counted.counts == std::vector<std::uint64_t>{1, 6, 0, 0, 0, 20, 0, 2});
    CHECK(quantization_error(state.counted, state.format, {-2, 2}) * 29 == doctest::Approx(389.0 / 36));
    CHECK(quantization_error(state.counted, state.format, {-2, 3}) * 29 == doctest::Approx(293.0 / 36));
    CHECK(state.result() == range{-2, 3});
}

TEST_CASE("histograms of other bins do not merge") {
    const auto first = observed(percentile{}, {{0, 1, 2}});
    auto second = observed(percentile{}, {{0, 1, 3}});
    CHECK_THROWS_AS(second.merge(first), calibration_error);
    auto choice = observer_choice{entropy{}}.start(node{});
    CHECK_THROWS_AS(choice.merge(observer_choice{}.start(node{})), calibration_error);
}
