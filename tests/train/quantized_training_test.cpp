// SPDX-License-Identifier: Apache-2.0
#include <statiq/simulate/simulated_network.hpp>
#include <statiq/threads/thread_pool.hpp>
#include <statiq/train/quantized_training_network.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include "../support/real_training.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace {

using namespace statiq;

constexpr std::size_t batch = 4;
using activation8 = quantized<8, asymmetric>;

std::vector<float> random_values(std::mt19937& random, std::size_t count) {
    std::vector<float> made(count);
    for (float& value : made) value = support::uniform(random, -1, 1);
    return made;
}

/// Nothing to merge, every way of folding: strided, depthwise, in a branch, of a bias, and on its own.
struct small final
    : network<decltype(input<9, 9, 3> | named<"stem">(conv<6>(kernel<3>, stride<2>, with_bias) | batch_norm | relu6) |
                       named<"dw">(depthwise | batch_norm | relu) | named<"pw">(pointwise<8> | batch_norm | relu) |
                       add(named<"branch">(pointwise<8> | batch_norm | relu), identity) | relu |
                       named<"alone">(batch_norm) | max_pool(kernel<2>) | named<"last">(conv<4>(kernel<3>)) |
                       global_average_pool | named<"fc">(dense<5>))> {};
using small8 = numbers_chosen<deployed<small>, quantized<8, symmetric, per_channel>, quantized<8, asymmetric>>;

template <class G, class Weight, class Activation, class Scheme = float_multiplier>
void check_simulation(std::mt19937& random) {
    using Q = numbers_chosen<deployed<G>, Weight, Activation>;
    sequential here;
    quantized_training_network<G, Q, masked_estimator, false, Scheme> network(
        support::random_parameters<G>(random, support::dead_channels::none), batch, here);
    for (int step = 0; step < 2; ++step) network.forward(random_values(random, batch * input_extents<G>.size()));
    const std::vector<float> samples = random_values(random, batch * input_extents<G>.size());
    const auto found = network.evaluate(samples);
    const auto integers = quantize_parameters<Q>(deploy(network.values()), network.ranges());
    simulated_network<Q, Scheme> simulated(integers);
    for (std::size_t s = 0; s < batch; ++s) {
        const auto expected =
            simulated.run(std::span(samples).subspan(s * input_extents<G>.size(), input_extents<G>.size()));
        CHECK(std::equal(expected.begin(), expected.end(),
                         found.begin() + static_cast<std::ptrdiff_t>(s * expected.size())));
    }
}

} // namespace

TEST_CASE("what is trained is the simulated network of the deployed parameters and learnt ranges, bit for bit") {
    std::mt19937 random(91);
    check_simulation<small, quantized<8, symmetric, per_channel>, activation8>(random);
    check_simulation<small, quantized<5, asymmetric>, quantized<6, asymmetric>>(random);
    check_simulation<small, quantized<8>, float32>(random);
    support::for_each_random_network<0, 8, true>(
        [&]<class G>() { check_simulation<deployed<G>, quantized<8, symmetric, per_channel>, activation8>(random); });
    support::for_each_random_network<8, 12, true>([&]<class G>() {
        check_simulation<deployed<G>, quantized<8>, quantized<8, asymmetric_signed>, gemmlowp>(random);
        check_simulation<deployed<G>, quantized<4, symmetric, per_channel>, activation8>(random);
    });
}

namespace {

struct shallow final : network<decltype(input<6, 6, 3> | named<"c">(conv<4>(kernel<3>, with_bias) | batch_norm | relu) |
                                        named<"dw">(depthwise(stride<2>) | batch_norm))> {};

/// How many gradients were compared, and how many of them are known to a twentieth of their tensor's largest.
struct comparison {
    std::size_t all = 0;
    std::size_t telling = 0;
};

template <class G>
comparison compare_on_reals(std::mt19937& random, norm_folding folding) {
    using reals = numbers_chosen<deployed<G>, float32, float32>;
    const auto parameters = support::random_parameters<G>(random, support::dead_channels::none);
    const std::vector<float> samples = random_values(random, batch * input_extents<G>.size());
    const std::vector<float> factors = random_values(random, batch * output_extents<G>.size());
    const auto rows_of = [](const std::vector<float>& of) {
        std::vector<std::vector<float>> rows;
        const auto size = static_cast<std::ptrdiff_t>(of.size() / batch);
        for (std::ptrdiff_t s = 0; s < static_cast<std::ptrdiff_t>(batch); ++s)
            rows.emplace_back(of.begin() + s * size, of.begin() + (s + 1) * size);
        return rows;
    };
    support::real_training real(G::nodes, parameters.layers, rows_of(samples), folding != norm_folding::frozen);
    real.differentiate(rows_of(factors));
    sequential here;
    quantized_training_network<G, reals, masked_estimator, true> network(parameters, batch, here, {.folding = folding});
    const auto outputs = network.forward(samples);
    for (std::size_t v = 0; v < outputs.size(); ++v) {
        const support::bounded& exact = real.values.back()[v / output_extents<G>.size()][v % output_extents<G>.size()];
        CHECK(std::abs(static_cast<double>(outputs[v]) - exact.value) <= 2 * exact.error);
    }
    network.backward(factors);
    comparison made;
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        CAPTURE(G::nodes[i].name.view());
        const auto check = [&](const std::vector<float>& found, const std::vector<support::bounded>& exact) {
            REQUIRE(found.size() == exact.size());
            double largest = 0;
            for (const support::bounded& g : exact) largest = std::max(largest, std::abs(g.value));
            for (std::size_t w = 0; w < found.size(); ++w) {
                CHECK(std::abs(static_cast<double>(found[w]) - exact[w].value) <= 2 * exact[w].error);
                ++made.all;
                if (2 * exact[w].error < 0.05 * largest) ++made.telling;
            }
        };
        check(network.gradients()[i].weight, real.parameter_gradients[i].weight);
        check(network.gradients()[i].bias, real.parameter_gradients[i].bias);
        check(network.gradients()[i].gamma, real.parameter_gradients[i].gamma);
        check(network.gradients()[i].beta, real.parameter_gradients[i].beta);
    }
    return made;
}

} // namespace

TEST_CASE("on reals, folding changes nothing: gradients are the unfolded network's") {
    // Folding by a batch's statistics, and correction too, are the batch norm written differently; so are the moving
    // statistics. What differs is that weights are scaled and rounded first: twice the roundings at most.
    std::mt19937 random(92);
    for (const norm_folding folding : {norm_folding::frozen, norm_folding::naive, norm_folding::corrected}) {
        CAPTURE(static_cast<int>(folding));
        compare_on_reals<small>(random, folding);
        for (int repeat = 0; repeat < 4; ++repeat) {
            const comparison made = compare_on_reals<shallow>(random, folding);
            CHECK(made.telling > made.all / 2);
        }
    }
}

namespace {
struct one_layer final : network<decltype(input<5, 5, 2> | named<"c">(conv<3>(kernel<3>, with_bias) | batch_norm))> {};
} // namespace

TEST_CASE("correction and freeze are P2's equations") {
    using Q = numbers_chosen<deployed<one_layer>, quantized<4, symmetric, per_channel>, float32>;
    std::mt19937 random(93);
    const auto parameters = support::random_parameters<one_layer>(random, support::dead_channels::none);
    const std::vector<float> samples = random_values(random, batch * 50);
    const node& conv = one_layer::nodes[1];
    const layer_parameters& linear = parameters[1];
    const layer_parameters& norm = parameters[2];
    const auto epsilon = static_cast<double>(one_layer::nodes[2].epsilon);

    /// Sums of some weights over the batch, in double: [sample, pixel][channel].
    const auto sums_of = [&](const std::vector<float>& weight) {
        std::vector<double> sums;
        for (std::size_t s = 0; s < batch; ++s)
            support::detail::for_outputs(conv, [&](int row, int column, int o, std::size_t) {
                double sum = 0;
                support::detail::for_taps(conv, row, column, [&](int ky, int kx, int r, int q) {
                    for (int c = 0; c < 2; ++c)
                        sum += static_cast<double>(weight[support::detail::weight_at(conv, o, ky, kx, c)]) *
                               static_cast<double>(samples[s * 50 + support::detail::at(conv.in, r, q, c)]);
                });
                sums.push_back(sum);
            });
        return sums;
    };
    const std::vector<double> z = sums_of(linear.weight);
    const double count = static_cast<double>(z.size()) / 3;
    for (const bool frozen : {false, true}) {
        sequential here;
        quantized_training_network<one_layer, Q, masked_estimator, true> network(
            parameters, batch, here,
            {.folding = norm_folding::corrected, .freeze_after = frozen ? 0U : 1U, .statistics = {.momentum = 0.75F}});
        const auto found = network.forward(samples);
        for (std::size_t c = 0; c < 3; ++c) {
            double mean = 0;
            double variance = 0;
            for (std::size_t v = c; v < z.size(); v += 3) mean += z[v] / count;
            for (std::size_t v = c; v < z.size(); v += 3) variance += (z[v] - mean) * (z[v] - mean) / count;
            const double batch_mean = mean + static_cast<double>(linear.bias[c]); // of what the norm sees
            const double batch_sigma = std::sqrt(variance + epsilon);
            const double sigma = std::sqrt(static_cast<double>(norm.variance[c]) + epsilon);
            const double gamma = static_cast<double>(norm.gamma[c]);
            const double correction = batch_sigma / sigma; // (22)
            // (23): the weights that are quantized, symmetrically, by their own largest.
            std::vector<float> corrected(linear.weight.size());
            double largest = 0;
            const auto of_channel = [&](auto&& visit) {
                for (std::size_t w = c * 18; w < (c + 1) * 18; ++w) visit(w);
            };
            of_channel([&](std::size_t w) {
                corrected[w] =
                    static_cast<float>(correction * gamma * static_cast<double>(linear.weight[w]) / batch_sigma);
                largest = std::max(largest, std::abs(static_cast<double>(corrected[w])));
            });
            const double step = largest / 7;
            std::vector<float> simulated = corrected;
            of_channel([&](std::size_t w) {
                simulated[w] = static_cast<float>(std::round(static_cast<double>(corrected[w]) / step) * step);
            });
            const std::vector<double> u = sums_of(simulated);
            const double bias = static_cast<double>(norm.beta[c]) - gamma * batch_mean / batch_sigma; // (26), (30)
            const double bias_correction =
                frozen ? gamma * (batch_mean / batch_sigma - static_cast<double>(norm.mean[c]) / sigma) : 0; // (31)
            const double layer_bias = static_cast<double>(linear.bias[c]);
            for (std::size_t v = c; v < u.size(); v += 3) {
                // The layer's own bias is a part of its sums, and divided as they are.
                const double biased = u[v] + gamma / sigma * layer_bias;
                const double expected = biased / (frozen ? 1 : correction) + bias + bias_correction; // (25), (29)
                // Float sums of 19 terms, none larger than 1, and a few roundings more.
                CHECK(std::abs(static_cast<double>(found[v]) - expected) <= 0x1p-18 * (1 + std::abs(expected)));
            }
            const layer_parameters& learnt = network.values()[2];
            if (frozen) {
                CHECK(learnt == norm);
            } else {
                CHECK(std::abs(static_cast<double>(learnt.mean[c]) -
                               (0.75 * static_cast<double>(norm.mean[c]) + 0.25 * batch_mean)) <= 0x1p-20);
                CHECK(std::abs(static_cast<double>(learnt.variance[c]) - (0.75 * static_cast<double>(norm.variance[c]) +
                                                                          0.25 * variance * count / (count - 1))) <=
                      0x1p-20);
            }
        }
        if (!frozen) continue;
        const std::vector<float> kept(found.begin(), found.end());
        const auto evaluated = network.evaluate(samples);
        CHECK(std::equal(kept.begin(), kept.end(), evaluated.begin(), evaluated.end()));
    }
}

TEST_CASE("a gradient passes between the lowest and the highest integer, both included, and inside its activation") {
    const affine map{0.5F, 2};
    const number_format format = quantized<4, asymmetric>::format; // 0 … 15: -1 … 6.5
    const range ends = representable(map, format);
    const std::vector<float> values{std::nextafter(ends.min, -9.0F), ends.min, 0.0F, 0x1p-140F, 6.0F, ends.max,
                                    std::nextafter(ends.max, 9.0F)};
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const auto passes = [&](const detail::passing& what) {
        std::vector<std::uint8_t> noted(values.size());
        detail::note_passing(values.data(), values.size(), what, noted.data());
        return std::vector<int>(noted.begin(), noted.end());
    };
    CHECK(passes({-infinity, infinity, ends}) == std::vector<int>{0, 1, 1, 1, 1, 1, 0});
    CHECK(passes({0.0F, infinity, ends}) == std::vector<int>{0, 0, 0, 1, 1, 1, 0});
    CHECK(passes({0.0F, 6.0F, ends}) == std::vector<int>{0, 0, 0, 1, 0, 0, 0});
    CHECK(passes({-infinity, infinity, {-infinity, infinity}}) == std::vector<int>{1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("the masked estimator stops what saturates, the identity lets it pass") {
    struct dense_layer final : network<decltype(input<1, 1, 3> | named<"fc">(dense<2>))> {};
    using Q = numbers_chosen<deployed<dense_layer>, quantized<8, symmetric, per_channel>, quantized<8, asymmetric>>;
    auto parameters = zero_parameters<dense_layer>();
    parameters[1].weight = {1, 0, 0, 0, 1, 0};
    const std::vector<float> sample{3, 0.25F, -1};
    const std::vector<float> ones{1, 1};
    const auto train = [&]<class Estimator>(Estimator) {
        sequential here;
        quantized_training_network<dense_layer, Q, Estimator> network(parameters, 1, here);
        network.set_ranges({range{-4, 4}, range{-1, 1}});
        network.learn_ranges(false);
        network.forward(sample);
        network.backward(ones);
        return network.gradients()[1];
    };
    const layer_parameters masked = train(masked_estimator{});
    const layer_parameters passed = train(identity_estimator{});
    // The gradients are the inputs as the network sees them: on their own grid.
    const affine grid = choose_affine(Q::nodes[0].numbers.activation, {-4, 4});
    std::vector<float> seen;
    for (const float x : sample) seen.push_back(fake_quantize(x, grid, Q::nodes[0].numbers.activation));
    CHECK(masked.weight == std::vector<float>{0, 0, 0, seen[0], seen[1], seen[2]});
    CHECK(masked.bias == std::vector<float>{0, 1});
    CHECK(passed.weight == std::vector<float>{seen[0], seen[1], seen[2], seen[0], seen[1], seen[2]});
    CHECK(passed.bias == std::vector<float>{1, 1});
}

namespace {

/// Some steps of plain gradient descent; everything that decides the next one, as numbers.
template <class Network>
void descend(Network& network, std::mt19937& random, int steps) {
    for (int step = 0; step < steps; ++step) {
        network.forward(random_values(random, batch * input_extents<typename Network::graph>.size()));
        network.backward(random_values(random, batch * output_extents<typename Network::graph>.size()));
        for (const trainable& t : network.trainables())
            for (std::size_t w = 0; w < t.values.size(); ++w) t.values[w] -= 0.01F * t.gradient[w];
    }
}
template <class Network>
std::vector<std::vector<float>> state_of(Network& network) {
    std::vector<std::vector<float>> all;
    for (const trainable& t : network.trainables()) {
        all.emplace_back(t.values.begin(), t.values.end());
        all.emplace_back(t.gradient.begin(), t.gradient.end());
    }
    for (const training_state& s : network.states()) all.emplace_back(s.values.begin(), s.values.end());
    return all;
}

} // namespace

TEST_CASE("the same seed gives the same bits, with any number of threads, and resumed from what a network shows") {
    using trained = quantized_training_network<small, small8, masked_estimator, true>;
    static_assert(trainable_network<trained>);
    for (const training_rounding rounding : {training_rounding::deployed, training_rounding::half_even,
                                             training_rounding::half_up, training_rounding::stochastic})
        for (const norm_folding folding : {norm_folding::frozen, norm_folding::naive, norm_folding::corrected}) {
            CAPTURE(static_cast<int>(rounding));
            CAPTURE(static_cast<int>(folding));
            std::mt19937 draw(94);
            const auto parameters = support::random_parameters<small>(draw, support::dead_channels::none);
            const quantized_training_rule rule{
                .folding = folding, .freeze_after = 3, .ranges = {.delay = 1}, .rounding = rounding, .seed = 5};
            sequential here;
            trained whole(parameters, batch, here, rule);
            std::mt19937 random(95);
            descend(whole, random, 4);
            for (const std::size_t threads : {2U, 3U}) {
                thread_pool pool(threads);
                trained first(parameters, batch, pool, rule);
                std::mt19937 again(95);
                descend(first, again, 2);
                trained second(parameters, batch, pool, rule);
                const auto copy = [](const auto& from, const auto& to) {
                    for (std::size_t i = 0; i < from.size(); ++i)
                        std::copy(from[i].values.begin(), from[i].values.end(), to[i].values.begin());
                };
                copy(first.trainables(), second.trainables());
                copy(first.states(), second.states());
                for (std::size_t i = 0; i < first.counters().size(); ++i)
                    *second.counters()[i].value = *first.counters()[i].value;
                descend(second, again, 2);
                CHECK(state_of(second) == state_of(whole));
            }
            if (rounding != training_rounding::stochastic) continue;
            // Every step draws anew, whatever has been learnt.
            const std::vector<float> samples = random_values(random, batch * input_extents<small>.size());
            whole.learn_ranges(false);
            const auto once = whole.forward(samples);
            const std::vector<float> kept(once.begin(), once.end());
            const auto twice = whole.forward(samples);
            CHECK(!std::equal(kept.begin(), kept.end(), twice.begin(), twice.end()));
            quantized_training_rule other = rule;
            other.seed = 6;
            trained different(parameters, batch, here, other);
            std::mt19937 again(95);
            descend(different, again, 4);
            CHECK(state_of(different) != state_of(whole));
        }
}

TEST_CASE("ranges average the batches' ends, stay when told, and are used after the delay") {
    struct identity_layer final : network<decltype(input<1, 1, 2> | relu)> {};
    using Q = numbers_chosen<deployed<identity_layer>, quantized<8>, quantized<8, asymmetric>>;
    sequential here;
    quantized_training_network<identity_layer, Q> network(zero_parameters<identity_layer>(), 2, here,
                                                          {.ranges = {.momentum = 0.5F, .delay = 2}});
    const std::vector<float> first{-1, 3, 0.3F, 1};
    const std::vector<float> second{-3, 1, 0.3F, 2};
    const auto outputs = [&](const std::vector<float>& samples) {
        const auto found = network.forward(samples);
        return std::vector<float>(found.begin(), found.end());
    };
    CHECK(outputs(first) == std::vector<float>{0, 3, 0.3F, 1});
    CHECK(network.ranges()[0] == range{-1, 3});
    CHECK(outputs(second) == std::vector<float>{0, 1, 0.3F, 2});
    CHECK(network.ranges()[0] == range{-2, 2.5F});
    network.learn_ranges(false);
    const affine grid = choose_affine(Q::nodes[0].numbers.activation, {-2, 2.5F});
    const auto seen = [&](float x) { return fake_quantize(x, grid, Q::nodes[0].numbers.activation); };
    CHECK(outputs(first) == std::vector<float>{0, seen(3), seen(0.3F), seen(1)});
    CHECK(network.ranges()[0] == range{-2, 2.5F});
}
