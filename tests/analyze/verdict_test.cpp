// SPDX-License-Identifier: Apache-2.0
#include <statiq/analyze/verdict.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_parameters.hpp"
#include <cctype>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

using namespace statiq;

namespace {

struct net final : network<decltype(input<6, 6, 8> | named<"dw">(depthwise) | batch_norm | relu6 |
                                    named<"pw">(pointwise<16>) | batch_norm | relu)> {};

/// Well-behaved parameters: uniform weights, scales near 1.
parameters<net> tame(std::mt19937& random) {
    auto made = support::random_parameters<net>(random, support::dead_channels::none);
    for (auto& layer : made.layers) {
        for (float& g : layer.gamma) g = support::uniform(random, 0.9, 1.1);
        for (float& v : layer.variance) v = support::uniform(random, 0.9, 1.1);
        for (float& b : layer.beta) b = support::uniform(random, -0.2, 0.2);
    }
    return made;
}

std::vector<layer_distribution> look(const parameters<net>& trained, const sample_reader& samples) {
    return measure_distributions(as_data(trained), as_data(deploy(trained)), samples);
}
bool says(const layer_distribution& line, const std::string& words) {
    std::string text = judge(line).text;
    for (char& c : text) c = static_cast<char>(std::tolower(c));
    CAPTURE(text);
    CHECK(text.find(words) != std::string::npos);
    return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("moments are those of the values") {
    moments m;
    const std::vector<float> values{1, 2, 3, -6};
    m.add(values.data(), 3);
    m.add(values.data() + 3, 1);
    CHECK(m.min == -6);
    CHECK(m.max == 3);
    CHECK(m.mean() == 0);
    CHECK(m.power() == 12.5);
    CHECK(m.deviation() == doctest::Approx(std::sqrt(12.5)).epsilon(1e-12));
}

TEST_CASE("energies: w^2 / E[w^2] by powers of ten") {
    // E[w^2] = (1 + 1 + 1e-4 + 0) / 4; ratios 2, 2, 2e-4, 0
    const auto counts = energies_of({1, -1, 0.01F, 0});
    CHECK(counts[9] == 2); // 1 to 10
    CHECK(counts[5] == 1); // 1e-4 to 1e-3
    CHECK(counts[0] == 1);
}

TEST_CASE("a layer without defects is called fit, with its numbers") {
    std::mt19937 random(801);
    const auto samples = support::random_inputs<net>(random, 4);
    const auto lines = look(tame(random), reader_of(samples));
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].name == "dw");
    CHECK(lines[0].depthwise);
    CHECK(lines[0].channels.size() == 8);
    for (const auto& line : lines) {
        const layer_verdict verdict = judge(line);
        CHECK(verdict.weights_friendly);
        CHECK(verdict.activations_friendly);
        CHECK(says(line, "fit for 8 bits"));
    }
}

TEST_CASE("a channel without variance whose scale takes the range is named, with the remedy") {
    std::mt19937 random(802);
    auto trained = tame(random);
    trained[2].variance[5] = 3e-36F;
    trained[2].gamma[5] = 1;
    const auto samples = support::random_inputs<net>(random, 4);
    const auto lines = look(trained, reader_of(samples));
    CHECK(lines[0].channels[5].dead);
    CHECK(lines[0].channels[5].outlier);
    CHECK(lines[0].channels[5].alpha == doctest::Approx(1 / std::sqrt(1e-3)).epsilon(1e-5)); // 31.6
    for (std::size_t c = 0; c < 8; ++c)
        CHECK((c == 5 || (!lines[0].channels[c].dead && !lines[0].channels[c].outlier)));
    const layer_verdict verdict = judge(lines[0]);
    CHECK_FALSE(verdict.weights_friendly);
    CHECK(says(lines[0], "channel 5 hardly varies (variance 3e-36, scale 31.6)"));
    CHECK(says(lines[0], "repair the variance, or quantize per channel"));
    // Before folding nothing was wrong: the range grew, and the median channel's ratio fell.
    CHECK(lines[0].trained.spread() < 3);
    CHECK(lines[0].deployed.spread() > 10);
    CHECK(lines[0].trained.median_channel_sqnr > lines[0].deployed.median_channel_sqnr + 15);
    CHECK(lines[0].deployed.sqnr_per_channel > 40);

    // Repaired, it is as the others.
    const network_data repaired = as_data(deploy(trained, {.repair_zero_variance = zero_variance_repair{}}));
    const auto after = measure_distributions(as_data(trained), repaired, reader_of(samples));
    CHECK(judge(after[0]).weights_friendly);
    CHECK(says(after[0], "channel 5 is constant, and harmless"));
}

TEST_CASE("several dead channels are listed; live ones with large scales have another remedy") {
    std::mt19937 random(803);
    auto trained = tame(random);
    for (const std::size_t c : {1U, 4U, 7U}) trained[2].variance[c] = 0;
    trained[5].gamma[3] = 60;
    const auto samples = support::random_inputs<net>(random, 4);
    const auto lines = look(trained, reader_of(samples));
    CHECK(says(lines[0], "channels 1, 4 and 7 hardly vary"));
    CHECK(says(lines[1], "channel 3 is scaled up"));
    CHECK(says(lines[1], "equalize (across relu), or quantize per channel"));
    CHECK_FALSE(judge(lines[1]).weights_friendly);
}

TEST_CASE("activations: outliers take the range (C2), and a bounded activation's cut is said") {
    std::mt19937 random(804);
    auto trained = tame(random);
    const auto samples = support::random_inputs<net>(random, 4);
    for (float& b : trained[2].beta) b = 8; // beyond 6
    const auto lines = look(trained, reader_of(samples));
    CHECK(lines[0].clipped_share > 0.5);
    CHECK(lines[0].clipped_sqnr < 20);
    CHECK(lines[0].before_activation.max > 6);
    CHECK(lines[0].activations.max == 6);
    CHECK(says(lines[0], "its activation cuts off"));

    layer_distribution spiky = lines[1];
    spiky.activations = {};
    std::vector<float> values(1000000, 0.01F);
    values[0] = 40;
    spiky.activations.add(values.data(), values.size());
    CHECK_FALSE(judge(spiky).activations_friendly);
    CHECK(says(spiky, "outliers take the range"));
}

TEST_CASE("channels that are switched off do not count as usual") {
    std::mt19937 random(805);
    auto trained = tame(random);
    const convolution_shape shape = net::nodes[4].convolution();
    for (int o = 0; o < 12; ++o) // of 16
        for (int k = 0; k < shape.in_channels_per_group(); ++k)
            trained[4].weight[shape.weight_index(o, 0, k)] *= 1e-30F;
    const auto samples = support::random_inputs<net>(random, 2);
    const auto lines = look(trained, reader_of(samples));
    CHECK(judge(lines[1]).weights_friendly);
    CHECK(lines[1].deployed.spread() < 3);
    for (const auto& channel : lines[1].channels) CHECK_FALSE(channel.outlier);
}
