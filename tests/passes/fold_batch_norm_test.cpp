// SPDX-License-Identifier: Apache-2.0
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

using namespace statiq;

namespace {

struct plain final : network<decltype(input<5, 5, 3> | conv<4>(kernel<3>) | batch_norm | relu | conv<2>)> {};
struct lone final : network<decltype(input<5, 5, 3> | max_pool | batch_norm | conv<2>)> {};
struct shared final : network<decltype(input<5, 5, 3> | conv<4> | add(batch_norm, identity) | relu)> {};

static_assert(node_count<batch_norm_folded<plain>> == node_count<plain> - 1);
static_assert(batch_norm_folded<plain>::nodes[1].is<operations::convolution>());
static_assert(!plain::nodes[1].has_bias && batch_norm_folded<plain>::nodes[1].has_bias);

// Alone, it is a 1 x 1 convolution of each channel by itself.
constexpr node folded_alone = batch_norm_folded<lone>::nodes[2];
static_assert(folded_alone.is<operations::convolution>() && folded_alone.is_depthwise() && folded_alone.has_bias);
static_assert(folded_alone.over == window{} && folded_alone.in == folded_alone.out && folded_alone.groups == 3);
static_assert(folded_alone.name == lone::nodes[2].name);

// A convolution that somebody else reads must keep its values.
static_assert(node_count<batch_norm_folded<shared>> == node_count<shared>);
static_assert(batch_norm_folded<shared>::nodes[2].is_depthwise());

double scale_of(const layer_parameters& norm, float epsilon, std::size_t c) {
    return static_cast<double>(norm.gamma[c]) /
           std::sqrt(static_cast<double>(norm.variance[c]) + static_cast<double>(epsilon));
}

/// Within one rounding to float of a real that was computed in double from terms of that magnitude.
bool is_rounded(float value, double exact, double magnitude) {
    return std::abs(static_cast<double>(value) - exact) <= 0x1p-24 * std::abs(exact) + 0x1p-50 * magnitude + 0x1p-149;
}

layer_parameters norm_of(std::vector<float> variance, float gamma = 1) {
    layer_parameters norm;
    norm.gamma.assign(variance.size(), gamma);
    norm.beta.assign(variance.size(), 0.0F);
    norm.mean.assign(variance.size(), 0.0F);
    norm.variance = std::move(variance);
    return norm;
}

} // namespace

TEST_CASE("no batch norm is left, and everything else is as it was") {
    support::for_each_random_network([]<class Net>() {
        using folded = batch_norm_folded<Net>;
        std::size_t gone = 0;
        const auto readers = detail::count_readers(Net::nodes);
        for (const node& n : Net::nodes) {
            if (!n.is<operations::batch_norm>()) continue;
            const auto before = static_cast<std::size_t>(n.input());
            if (Net::nodes[before].is_linear() && readers[before] == 1) ++gone;
        }
        CHECK(node_count<folded> == node_count<Net> - gone);
        for (std::size_t i = 0; i < node_count<folded>; ++i) {
            const node& n = folded::nodes[i];
            const node& from = Net::nodes[static_cast<std::size_t>(folded::origin[i])];
            CHECK(!n.is<operations::batch_norm>());
            CHECK(n.out == from.out);
            for (int k = 0; k < n.input_count; ++k) CHECK(n.inputs[static_cast<std::size_t>(k)] < static_cast<int>(i));
        }
    });
}

TEST_CASE("folded parameters are alpha w and beta + alpha (b - mean), rounded once") {
    std::mt19937 random(51);
    support::for_each_random_network([&]<class Net>() {
        const auto trained = support::random_parameters<Net>(random);
        const auto folded = fold_batch_norm(trained);
        for (std::size_t i = 0; i < node_count<batch_norm_folded<Net>>; ++i) {
            const node& n = batch_norm_folded<Net>::nodes[i];
            const auto origin = static_cast<std::size_t>(batch_norm_folded<Net>::origin[i]);
            if (!Net::nodes[origin].template is<operations::batch_norm>()) {
                CHECK(folded[i] == trained[origin]);
                continue;
            }
            const layer_parameters& norm = trained[origin];
            const auto before = static_cast<std::size_t>(Net::nodes[origin].input());
            const bool alone = n.name == Net::nodes[origin].name;
            const std::size_t channels = norm.gamma.size();
            REQUIRE(folded[i].bias.size() == channels);
            REQUIRE(folded[i].weight.size() == (alone ? channels : trained[before].weight.size()));
            std::size_t wrong = 0;
            for (std::size_t w = 0; w < folded[i].weight.size(); ++w) {
                // Natural order has the output channel first, but last for depthwise.
                const std::size_t c = n.is_depthwise() ? w % channels : w / (folded[i].weight.size() / channels);
                const double weight = alone ? 1.0 : static_cast<double>(trained[before].weight[w]);
                const double exact = scale_of(norm, Net::nodes[origin].epsilon, c) * weight;
                if (!is_rounded(folded[i].weight[w], exact, std::abs(exact))) ++wrong;
            }
            for (std::size_t c = 0; c < channels; ++c) {
                const double alpha = scale_of(norm, Net::nodes[origin].epsilon, c);
                const bool biased = !alone && Net::nodes[before].has_bias;
                const double bias = biased ? static_cast<double>(trained[before].bias[c]) : 0.0;
                const double moved = alpha * (bias - static_cast<double>(norm.mean[c]));
                const auto beta = static_cast<double>(norm.beta[c]);
                if (!is_rounded(folded[i].bias[c], beta + moved, std::abs(beta) + std::abs(moved))) ++wrong;
            }
            CHECK(wrong == 0);
        }
    });
}

TEST_CASE("folding twice changes nothing") {
    std::mt19937 random(52);
    support::for_each_random_network([&]<class Net>() {
        using once = batch_norm_folded<Net>;
        using twice = batch_norm_folded<once>;
        CHECK(std::equal(once::nodes.begin(), once::nodes.end(), twice::nodes.begin(), twice::nodes.end()));
        const auto folded = fold_batch_norm(support::random_parameters<Net>(random));
        CHECK(fold_batch_norm(folded).layers == folded.layers);
    });
}

TEST_CASE("a channel without variance takes the mean variance of the others (P1 section 2.3.1)") {
    const float epsilon = 1e-3F;
    const auto eps = static_cast<double>(epsilon);
    const layer_parameters norm = norm_of({0.0F, 4.0F, 2.0F, 6e-45F, 1e-12F}, 2.0F);

    const auto unrepaired = batch_norm_scale(norm, epsilon);
    CHECK(unrepaired[0] == doctest::Approx(2 / std::sqrt(eps)).epsilon(1e-12)); // 31.6 gamma: the outlier of figure 3

    // Alive is what exceeds 1e-12; the mean over the alive is (4 + 2) / 2.
    const auto repaired = batch_norm_scale(norm, epsilon, zero_variance_repair{});
    for (const std::size_t dead : {0u, 3u, 4u})
        CHECK(repaired[dead] == doctest::Approx(2 / std::sqrt(eps + 3)).epsilon(1e-12));
    for (const std::size_t alive : {1u, 2u}) CHECK(repaired[alive] == unrepaired[alive]);

    const auto stricter = batch_norm_scale(norm, epsilon, zero_variance_repair{.threshold = 2.0F});
    for (const std::size_t dead : {0u, 2u, 3u, 4u})
        CHECK(stricter[dead] == doctest::Approx(2 / std::sqrt(eps + 4)).epsilon(1e-12));
}

TEST_CASE("where nothing is dead, or nothing is alive, the repair changes nothing") {
    const layer_parameters alive = norm_of({0.25F, 1e-6F, 3.0F});
    CHECK(batch_norm_scale(alive, 1e-3F, zero_variance_repair{}) == batch_norm_scale(alive, 1e-3F));
    const layer_parameters dead = norm_of({0.0F, 0.0F});
    CHECK(batch_norm_scale(dead, 1e-3F, zero_variance_repair{}) == batch_norm_scale(dead, 1e-3F));
}

TEST_CASE("the repair reaches weights and biases of the dead channels, and no others") {
    std::mt19937 random(53);
    auto trained = support::random_parameters<plain>(random);
    layer_parameters& norm = trained[2];
    norm.variance = {0.5F, 0.0F, 1.5F, 1.0F};
    const auto before = fold_batch_norm(trained);
    const auto after = deploy(trained, {.repair_zero_variance = zero_variance_repair{}});
    norm.variance[1] = 1.0F; // the mean of the others
    const auto wanted = fold_batch_norm(trained);
    CHECK(after[1] == wanted[1]);
    CHECK(after[1] != before[1]);
    constexpr std::size_t per_channel = 27;
    for (const std::size_t channel : {0u, 2u, 3u}) {
        const auto first = static_cast<std::ptrdiff_t>(channel * per_channel);
        CHECK(std::equal(after[1].weight.begin() + first, after[1].weight.begin() + first + per_channel,
                         before[1].weight.begin() + first));
        CHECK(after[1].bias[channel] == before[1].bias[channel]);
    }
}
