// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/calibrate/observer_json.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

using namespace statiq;

namespace {

/// The extremes of every node's output over samples [first, last).
template <graph_type G>
std::array<range, node_count<G>> extremes_of(float_network<G>& network, const support::random_samples& samples,
                                             std::size_t first, std::size_t last) {
    std::array<range, node_count<G>> seen{};
    for (std::size_t s = first; s < last; ++s)
        network.run(samples[s], [&]<std::size_t I>(node_index<I>, const float* values) {
            const auto [low, high] = std::minmax_element(values, values + G::nodes[I].out.size());
            seen[I] =
                s == first ? range{*low, *high} : range{std::min(seen[I].min, *low), std::max(seen[I].max, *high)};
        });
    return seen;
}

template <class Action>
std::string failure(const Action& action) {
    try {
        action();
    } catch (const calibration_error& error) {
        return error.what();
    }
    return {};
}

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Samples of any size and content.
struct given_samples {
    std::vector<std::vector<float>> values;
    [[nodiscard]] std::size_t size() const { return values.size(); }
    [[nodiscard]] std::span<const float> operator[](std::size_t index) const { return values[index]; }
};

struct two_layers final : network<decltype(input<1, 1, 2> | named<"first">(dense<2>(without_bias)) |
                                           named<"second">(dense<1>(without_bias)))> {};

parameters<two_layers> two_layers_of(std::vector<float> first, std::vector<float> second) {
    auto made = zero_parameters<two_layers>();
    made[1].weight = std::move(first);
    made[2].weight = std::move(second);
    return made;
}

} // namespace

TEST_CASE("min_max: every node's range is the extremes of its outputs over all samples") {
    std::mt19937 random(161);
    support::for_each_random_network<0, 6>([&]<class Net>() {
        using D = deployed<Net>;
        const auto parameters = deploy(support::random_parameters<Net>(random));
        const auto samples = support::random_inputs<Net>(random, 5);
        float_network<D> network(parameters);
        const auto expected = extremes_of(network, samples, 0, 5);
        for (const std::size_t batch : {1u, 2u, 5u, 9u}) { // batches do not matter to extremes
            const auto ranges = calibrate(parameters, samples, min_max{}, batch);
            for (std::size_t i = 0; i < node_count<D>; ++i) CHECK(ranges[i] == range{expected[i].min, expected[i].max});
        }
        CHECK(calibrate(parameters, samples) == calibrate(parameters, samples, min_max{}, 1));
    });
}

TEST_CASE("moving_average: the extremes of a batch are one observation, the last batch may be short") {
    std::mt19937 random(162);
    support::for_each_random_network<6, 10>([&]<class Net>() {
        using D = deployed<Net>;
        const auto parameters = deploy(support::random_parameters<Net>(random));
        const auto samples = support::random_inputs<Net>(random, 7);
        float_network<D> network(parameters);
        const moving_average rule{.momentum = 0.75F};
        for (const std::size_t batch : {1u, 3u, 7u, 8u}) {
            node_ranges<D> expected{};
            for (std::size_t first = 0; first < 7; first += batch) {
                const auto seen = extremes_of(network, samples, first, std::min<std::size_t>(first + batch, 7));
                for (std::size_t i = 0; i < node_count<D>; ++i)
                    expected[i] = first == 0 ? seen[i]
                                             : range{0.75F * expected[i].min + 0.25F * seen[i].min,
                                                     0.75F * expected[i].max + 0.25F * seen[i].max};
            }
            CHECK(calibrate(parameters, samples, rule, batch) == expected);
        }
    });
}

TEST_CASE("calibration without samples, or with samples of another size, is refused") {
    const auto parameters = two_layers_of({1, 1, 1, 1}, {1, 1});
    CHECK(failure([&] { calibrate(parameters, given_samples{}); }).find("at least one sample") != std::string::npos);
    CHECK(failure([&] { calibrate(parameters, given_samples{{{1, 2}}}, min_max{}, 0); }) != "");
    CHECK(failure([&] {
              calibrate(parameters, given_samples{{{1, 2}, {3, 4}, {5}}});
          }) == "calibration: sample 2: expected 2 values, found 1");
    CHECK(failure([&] {
              calibrate(parameters, given_samples{{{1, 2, 3}}});
          }) == "calibration: sample 0: expected 2 values, found 3");
}

TEST_CASE("a value that is not finite is refused, with the first layer that has it, the sample and what it is") {
    const auto plain = two_layers_of({1, 1, 1, 1}, {1, 1});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(failure([&] {
              calibrate(plain, given_samples{{{1, 2}, {1, nan}}});
          }) == "calibration: layer 'input', sample 1: expected finite values, found a NaN");
    CHECK(failure([&] {
              calibrate(plain, given_samples{{{-infinity, 2}}});
          }) == "calibration: layer 'input', sample 0: expected finite values, found an infinity");
    // The first layer overflows to infinities of both signs, whose sum in the second is a NaN: the first is to blame.
    const auto overflowing = two_layers_of({3e38F, 3e38F, -3e38F, -3e38F}, {1, 1});
    CHECK(failure([&] {
              calibrate(overflowing, given_samples{{{0.25F, 0.25F}, {1, 1}}});
          }) == "calibration: layer 'first', sample 1: expected finite values, found an infinity");
    const auto late = two_layers_of({1, 1, 1, 1}, {3e38F, 3e38F});
    CHECK(failure([&] {
              calibrate(late, given_samples{{{1, 1}}});
          }) == "calibration: layer 'second', sample 0: expected finite values, found an infinity");
}

TEST_CASE("a NaN passes every clamp and pool on its way to calibration") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    // One NaN weight under a fused relu: its channel is NaN, which no clamp makes a number again.
    struct clamped final : network<decltype(input<2, 2, 3> | named<"mix">(pointwise<8>) | relu)> {};
    auto from = zero_parameters<deployed<clamped>>();
    from[1].weight[3 * 3 + 1] = nan;
    const given_samples ones{{std::vector<float>(12, 1.0F)}};
    CHECK(failure([&] { calibrate(from, ones); }) ==
          "calibration: layer 'mix', sample 0: expected finite values, found a NaN");
    // A NaN bias: its channel, and no other, through a fused relu6 and a pool.
    struct pooled final : network<decltype(input<4, 4, 2> | named<"taps">(depthwise(kernel<3>)) | relu6 | max_pool)> {};
    auto taps = zero_parameters<deployed<pooled>>();
    taps[1].bias = {0, nan};
    std::vector<std::string> seen;
    float_network<deployed<pooled>> network(taps);
    const std::vector<float> sample(32, 1.0F);
    network.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
        if (std::isnan(values[1]) && !std::isnan(values[0])) seen.emplace_back(deployed<pooled>::nodes[I].name.view());
    });
    CHECK(seen == std::vector<std::string>{"taps", "max_pool"});
}

TEST_CASE("each layer may have an observer of its own") {
    std::mt19937 random(163);
    struct net final : network<decltype(input<4, 4, 3> | named<"a">(conv<5>(kernel<3>)) | relu | named<"b">(conv<4>) |
                                        flatten | named<"c">(dense<6>))> {};
    using D = deployed<net>;
    const auto parameters = deploy(support::random_parameters<net>(random));
    const auto samples = support::random_inputs<net>(random, 6);
    const percentile tight{.share = 90};
    const least_squares narrow{.format = quantized<4, asymmetric>::format};
    const auto mixed =
        calibrate(parameters, samples, observer_choice{moving_average{0.5F}, {{"a", tight}, {"c", narrow}}});
    const auto averages = calibrate(parameters, samples, moving_average{0.5F});
    const auto percentiles = calibrate(parameters, samples, tight);
    const auto squares = calibrate(parameters, samples, narrow);
    for (std::size_t i = 0; i < node_count<D>; ++i) {
        const auto name = D::nodes[i].name.view();
        CHECK(mixed[i] == (name == "a" ? percentiles[i] : name == "c" ? squares[i] : averages[i]));
    }
    CHECK(percentiles[1] != averages[1]);
    CHECK(squares.back() != averages.back());
}

TEST_CASE("shares of the data, observed apart and merged after each pass, give the ranges of the whole") {
    std::mt19937 random(164);
    struct net final
        : network<decltype(input<4, 4, 3> | named<"a">(conv<5>(kernel<3>)) | relu | flatten | named<"b">(dense<6>))> {};
    using D = deployed<net>;
    const auto parameters = deploy(support::random_parameters<net>(random));
    const auto samples = support::random_inputs<net>(random, 8);
    float_network<D> network(parameters);
    const auto observe = [&](auto& seen, std::size_t first, std::size_t last) {
        detail::observe_samples(seen, samples, first, last, 2, [&](std::span<const float> sample) {
            network.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
                seen.see(I, {values, D::nodes[I].out.size()});
            });
        });
    };
    const auto check = [&]<class Rule>(const Rule& rule, float tolerance) {
        const auto whole = calibrate(parameters, samples, rule, 2);
        calibration<Rule> first(D::nodes, rule);
        for (int pass = 0; pass < rule.passes(); ++pass) {
            // The second share is observed elsewhere: it goes there, and comes back, as text.
            calibration<Rule> second(D::nodes, rule);
            if (pass > 0) restore(nlohmann::json::parse(stored(first).dump()), second);
            observe(second, 4, 8);
            calibration<Rule> returned(D::nodes, rule);
            restore(nlohmann::json::parse(stored(second).dump()), returned);
            for (std::size_t i = 0; i < node_count<D>; ++i) CHECK(returned.states()[i] == second.states()[i]);
            observe(first, 0, 4);
            first.merge(returned);
            first.end_pass();
            if constexpr (std::is_same_v<Rule, entropy> || std::is_same_v<Rule, percentile> ||
                          std::is_same_v<Rule, least_squares>) {
                // What the second share began with, the counts so far, has been merged in: none in the second pass.
                CHECK((pass == 0 || first.states()[1].counted.total() == 8 * D::nodes[1].out.size()));
            }
        }
        const auto merged = first.ranges();
        for (std::size_t i = 0; i < node_count<D>; ++i) {
            CHECK(std::abs(merged[i].min - whole[i].min) <= tolerance);
            CHECK(std::abs(merged[i].max - whole[i].max) <= tolerance);
        }
    };
    check(min_max{}, 0);
    check(moving_average{0.75F}, 1e-5F); // |ends| < 8, a dozen roundings to 24 bits
    check(percentile{.share = 95, .bins = 64}, 0);
    check(entropy{.bins = 64, .levels = 8}, 0);
    check(least_squares{.format = quantized<3, asymmetric>::format}, 0);
    check(observer_choice{percentile{.share = 95}, {{"a", entropy{.bins = 64, .levels = 8}}}}, 0);
}

TEST_CASE("each field of stored observations is checked and named") {
    using histogram_rule = observer_choice;
    const observer_choice rule{min_max{},
                               {{"first", entropy{.bins = 64, .levels = 8}}, {"second", moving_average{0.5F}}}};
    const auto with = [&](std::size_t layer, auto&& change) {
        calibration<histogram_rule> seen(two_layers::nodes, rule);
        const std::array<float, 2> some{-1, 3};
        for (std::size_t i = 0; i < 3; ++i) seen.see(i, {some.data(), two_layers::nodes[i].out.size()});
        seen.end_batch();
        seen.end_pass();
        const auto untouched = stored(seen);
        auto changed = untouched;
        change(changed["layers"][layer]["state"]);
        const std::string message = failure([&] { restore(changed, seen); });
        CHECK((message.empty() || stored(seen) == untouched)); // refused as a whole
        return message;
    };
    const auto prefix = std::string("calibration: stored observations: layer ");
    const auto entropy_with = [&](const char* field, const nlohmann::json& value) {
        return with(1, [&](nlohmann::json& state) { state[field] = value; });
    };
    const auto average_with = [&](const char* field, const nlohmann::json& value) {
        return with(2, [&](nlohmann::json& state) { state[field] = value; });
    };
    const auto first = [&](const std::string& rest) { return prefix + "'first': field " + rest; };
    const auto second = [&](const std::string& rest) { return prefix + "'second': field " + rest; };
    CHECK(entropy_with("levels", 8) == "");
    CHECK(entropy_with("levels", 0) == first("'levels': expected 8, found 0"));
    CHECK(entropy_with("first_bin", 1) == first("'first_bin': expected true, found 1"));
    CHECK(entropy_with("bins", 1000000000) == first("'bins': expected 64, found 1000000000"));
    CHECK(entropy_with("bins", -1) == first("'bins': expected 64, found -1"));
    CHECK(entropy_with("low", -1e39) == first("'low': expected a finite number of float's range, found -1e+39"));
    CHECK(entropy_with("low", std::numeric_limits<double>::quiet_NaN()) ==
          first("'low': expected a finite number of float's range, found null"));
    CHECK(entropy_with("low", -0.5) == first("'low': expected 0, where magnitudes begin, found -0.5"));
    CHECK(entropy_with("high", 1e39) == first("'high': expected a finite number of float's range, found 1e+39"));
    CHECK(entropy_with("high", "3") == first("'high': expected a number, found \"3\""));
    CHECK(entropy_with("high", -2) == first("'high': expected at least the field 'low', found -2.0"));
    CHECK(entropy_with("counts", nlohmann::json::array()) == "");
    CHECK(entropy_with("counts", {1, 2}) ==
          first("'counts': expected the counts of 64 bins, or none, found an array of 2"));
    CHECK(entropy_with("counts", std::vector<int>(64, -1)) ==
          first("'counts': expected counts of at least 0, found -1"));
    CHECK(entropy_with("counts", std::vector<std::uint64_t>(64, std::uint64_t{1} << 58)) ==
          first("'counts': expected counts below 2^64 together, found more"));
    CHECK(entropy_with("seen", {3, -1}) ==
          first("'seen': expected a least and a greatest value in order, found 3 and -1"));
    CHECK(entropy_with("seen", {1}) == first("'seen': expected a least and a greatest value, found an array of 1"));
    CHECK(average_with("batches", 2147483647) ==
          second("'batches': expected an integer from 0 to 1073741824, found 2147483647"));
    CHECK(average_with("batches", -1) == second("'batches': expected an integer from 0 to 1073741824, found -1"));
    CHECK(average_with("momentum", 2) == second("'momentum': expected 0.5, found 2"));
    CHECK(average_with("over", 1) == second("'over': expected true or false, found 1"));
    CHECK(average_with("average", {0, 1e300}) ==
          second("'average': expected a finite number of float's range, found 1e+300"));
    CHECK(average_with("first", nullptr) == second("'first': expected a least and a greatest value, found null"));
    CHECK(with(2, [](nlohmann::json& state) { state.erase("over"); }) == second("'over': expected it, found none"));
    CHECK(with(2, [](nlohmann::json& state) { state["observer"] = "\x1b\xC2\x9B"; }) ==
          prefix + "'second': expected the observer moving_average, found \"\\u001b\\u009b\"");

    const auto searched = [](const char* field, const char* inner, const nlohmann::json& value) {
        calibration<least_squares> seen(two_layers::nodes, least_squares{});
        auto changed = stored(seen);
        auto& state = changed["layers"][0]["state"];
        (inner == nullptr ? state[field] : state[field][inner]) = value;
        return failure([&] { restore(changed, seen); });
    };
    CHECK(searched("steps", nullptr, 128) == "");
    CHECK(searched("steps", nullptr, 2000000000) == prefix + "'input': field 'steps': expected 128, found 2000000000");
    CHECK(searched("format", "bits", 4) == prefix + "'input': field 'format.bits': expected 8, found 4");
    CHECK(searched("format", "per", 7) == prefix + "'input': field 'format.per': expected 0, found 7");
    calibration<percentile> tail(two_layers::nodes, percentile{.share = 95});
    auto changed = stored(tail);
    changed["layers"][1]["state"]["share"] = 40;
    CHECK(failure([&] { restore(changed, tail); }) == prefix + "'first': field 'share': expected 95.0, found 40");
    changed = stored(tail);
    changed["layers"][2]["layer"] = "a\nb";
    CHECK(failure([&] { restore(changed, tail); }) ==
          "calibration: stored observations: expected layer 'second', found 'a\\x0ab'");
}

TEST_CASE("stored observations of another network or another observer are refused with what differs") {
    const auto refusal = [](const nlohmann::json& from, auto& to) { return failure([&] { restore(from, to); }); };
    calibration<min_max> seen(two_layers::nodes, min_max{});
    calibration<entropy> other(two_layers::nodes, entropy{});
    CHECK(refusal(stored(seen), other) ==
          "calibration: stored observations: layer 'input': expected the observer entropy, found \"min_max\"");
    struct one_layer final : network<decltype(input<1, 1, 2> | named<"first">(dense<2>(without_bias)))> {};
    calibration<min_max> shorter(one_layer::nodes, min_max{});
    CHECK(refusal(stored(seen), shorter) == "calibration: stored observations: expected 2 layers, found 3");
    auto renamed = stored(seen);
    renamed["layers"][2]["layer"] = "third";
    CHECK(refusal(renamed, seen) == "calibration: stored observations: expected layer 'second', found 'third'");
    CHECK(refusal(nlohmann::json::object(), seen).find("layers") != std::string::npos);
    CHECK(failure([&] { calibration<min_max>(one_layer::nodes, min_max{}).merge(seen); }) != "");
}

TEST_CASE("an observer that cannot observe is refused with its setting") {
    const auto refused = [](const auto& rule) {
        try {
            static_cast<void>(rule.start(node{}));
        } catch (const calibration_error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(refused(moving_average{0.0F}).empty());
    CHECK(refused(moving_average{1.0F}) ==
          "calibration: moving_average: expected a momentum in [0, 1), found 1.000000");
    CHECK(refused(moving_average{-0.5F}).find("found -0.5") != std::string::npos);
    CHECK(!refused(moving_average{std::numeric_limits<float>::quiet_NaN()}).empty());
    CHECK(refused(percentile{.share = 100}).empty());
    CHECK(refused(percentile{.share = 50}) ==
          "calibration: percentile: expected a share above 50, at most 100, found 50.000000");
    CHECK(!refused(percentile{.share = 101}).empty());
    CHECK(refused(percentile{.bins = 0}) == "calibration: percentile: expected 1 to 2^24 bins, found 0");
    CHECK(!refused(entropy{.bins = (std::size_t{1} << 24) + 1}).empty());
    CHECK(refused(entropy{.levels = 0}) == "calibration: entropy: expected at least one level, found 0");
    CHECK(refused(least_squares{.steps = 0}) == "calibration: least_squares: expected 1 to 65536 steps, found 0");
    CHECK(!refused(least_squares{.bins = 0}).empty());
}

TEST_CASE("an observer for a layer that is not there is refused by name") {
    node first, second;
    first.name = "first";
    second.name = "second";
    const std::vector nodes{first, second};
    const auto begin = [&](const char* layer) {
        try {
            const calibration seen(nodes, observer_choice{min_max{}, {{layer, entropy{}}}});
        } catch (const calibration_error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(begin("second").empty());
    CHECK(begin("secnod") == "calibration: an observer for the layer 'secnod': the network has no such layer");
}
