// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/layer.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/threads/thread_pool.hpp>
#include <statiq/train/training_network.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include "../support/real_training.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr std::size_t batch = 3;
static_assert(statiq::trainable_network<statiq::training_network<support::random_network<0>>>);

using rows = std::vector<std::vector<float>>;

rows random_rows(std::mt19937& random, std::size_t count, std::size_t size) {
    rows made(count, std::vector<float>(size));
    for (auto& row : made)
        for (float& value : row) value = support::uniform(random, -1, 1);
    return made;
}
std::vector<float> side_by_side(const rows& of) {
    std::vector<float> all;
    for (const auto& row : of) all.insert(all.end(), row.begin(), row.end());
    return all;
}

/// visit(name, a layer's tensor, the same in double) for all that has a gradient.
template <class Layer, class Visit>
void for_each_gradient(Layer& layer, const support::real_training::gradients& real, Visit visit) {
    if (!layer.weight.empty()) visit("weight", layer.weight, real.weight);
    if (!layer.bias.empty()) visit("bias", layer.bias, real.bias);
    if (!layer.gamma.empty()) visit("gamma", layer.gamma, real.gamma);
    if (!layer.beta.empty()) visit("beta", layer.beta, real.beta);
}

} // namespace

TEST_CASE("a network's gradients are its definition's, within what float arithmetic may miss") {
    std::mt19937 random(81);
    double worst = 0;
    std::size_t compared = 0;
    std::size_t telling = 0;
    support::for_each_random_network([&]<class G>() {
        for (const bool batch_statistics : {true, false}) {
            const auto parameters = support::random_parameters<G>(random, support::dead_channels::none);
            const rows samples = random_rows(random, batch, statiq::input_extents<G>.size());
            const rows factors = random_rows(random, batch, statiq::output_extents<G>.size());
            statiq::sequential here;
            statiq::training_network<G> network(parameters, batch + 1, here);
            network.use(batch_statistics ? statiq::statistics::batch : statiq::statistics::moving);
            const std::vector<float> input = side_by_side(samples);
            const auto result = network.forward(input);
            support::real_training real(G::nodes, parameters.layers, samples, batch_statistics);
            REQUIRE(result.size() == batch * statiq::output_extents<G>.size());
            for (std::size_t v = 0; v < result.size(); ++v) {
                const auto& exact = real.values.back()[v / factors[0].size()][v % factors[0].size()];
                CHECK(std::abs(static_cast<double>(result[v]) - exact.value) <= exact.error);
            }
            network.backward(side_by_side(factors));
            real.differentiate(factors);
            for (std::size_t i = 0; i < statiq::node_count<G>; ++i)
                for_each_gradient(network.gradients()[i], real.parameter_gradients[i],
                                  [&](const char* kind, const std::vector<float>& found, const auto& exact) {
                                      CAPTURE(G::nodes[i].name.view());
                                      CAPTURE(kind);
                                      REQUIRE(found.size() == exact.size());
                                      double largest = 0;
                                      for (const support::bounded& g : exact)
                                          largest = std::max(largest, std::abs(g.value));
                                      for (std::size_t w = 0; w < found.size(); ++w) {
                                          const double off = std::abs(static_cast<double>(found[w]) - exact[w].value);
                                          CHECK(off <= exact[w].error);
                                          if (exact[w].error > 0) worst = std::max(worst, off / exact[w].error);
                                          ++compared;
                                          if (exact[w].error < 0.01 * largest) ++telling;
                                      }
                                  });
        }
    });
    MESSAGE(compared << " gradients, " << telling << " known to a hundredth of their tensor's largest; worst " << worst
                     << " of the bound");
    CHECK(telling > compared / 3); // many are nothing: of biases before a batch norm, behind channels that are off
}

TEST_CASE("a network's gradients are the central differences of its loss") {
    std::mt19937 random(82);
    std::size_t smooth = 0;
    std::size_t all = 0;
    support::for_each_random_network([&]<class G>() {
        for (const bool batch_statistics : {true, false}) {
            auto parameters = support::random_parameters<G>(random, support::dead_channels::none);
            const rows samples = random_rows(random, batch, statiq::input_extents<G>.size());
            const rows factors = random_rows(random, batch, statiq::output_extents<G>.size());
            support::real_training real(G::nodes, parameters.layers, samples, batch_statistics);
            real.differentiate(factors);
            for (std::size_t i = 0; i < statiq::node_count<G>; ++i)
                for_each_gradient(
                    parameters[i], real.parameter_gradients[i], [&](const char* kind, auto& tensor, const auto& exact) {
                        const std::size_t w = random() % tensor.size();
                        const float kept = tensor[w];
                        struct difference {
                            double slope = 0;
                            bool is_smooth = false;
                        };
                        // Steps are what floats can express; the loss is evaluated in double.
                        const auto central = [&](float step) -> difference {
                            tensor[w] = kept + step;
                            const auto up = static_cast<double>(tensor[w]);
                            const support::real_training above(G::nodes, parameters.layers, samples, batch_statistics);
                            tensor[w] = kept - step;
                            const auto down = static_cast<double>(tensor[w]);
                            const support::real_training below(G::nodes, parameters.layers, samples, batch_statistics);
                            tensor[w] = kept;
                            return {(above.loss(factors) - below.loss(factors)) / (up - down),
                                    above.decisions == below.decisions && above.decisions == real.decisions};
                        };
                        const difference coarse = central(0x1p-9F);
                        const difference fine = central(0x1p-10F);
                        ++all;
                        if (!coarse.is_smooth) return;
                        ++smooth;
                        CAPTURE(G::nodes[i].name.view());
                        CAPTURE(kind);
                        // Halving the step leaves a quarter of what higher derivatives add. Beyond that: roundings of
                        // losses of this size, over the step.
                        const double rest = std::abs(coarse.slope - fine.slope);
                        CHECK(std::abs(fine.slope - exact[w].value) <= rest + 0x1p-34 * (1 + std::abs(exact[w].value)));
                    });
        }
    });
    MESSAGE(smooth << " of " << all << " differences without a kink between");
    CHECK(smooth > all / 3);
}

TEST_CASE("gradients, outputs and moving statistics do not depend on the number of threads") {
    std::mt19937 random(83);
    support::for_each_random_network([&]<class G>() {
        const auto parameters = support::random_parameters<G>(random, support::dead_channels::none);
        const rows samples = random_rows(random, batch, statiq::input_extents<G>.size());
        const rows factors = random_rows(random, batch, statiq::output_extents<G>.size());
        const std::vector<float> input = side_by_side(samples);
        statiq::sequential here;
        statiq::training_network<G> alone(parameters, batch, here);
        const auto expected = alone.forward(input);
        const std::vector<float> outputs(expected.begin(), expected.end());
        alone.backward(side_by_side(factors));
        for (const std::size_t threads : {2U, 3U, 5U}) {
            statiq::thread_pool pool(threads);
            statiq::training_network<G> network(parameters, batch, pool);
            for (int repeat = 0; repeat < 2; ++repeat) { // what is left in memory must not matter
                const auto found = network.forward(input);
                CHECK(std::equal(found.begin(), found.end(), outputs.begin(), outputs.end()));
                network.backward(side_by_side(factors));
                CHECK(network.gradients() == alone.gradients());
                if (repeat == 0) CHECK(network.values() == alone.values());
            }
        }
    });
}

TEST_CASE("moving statistics move towards the batch's mean and corrected variance") {
    using namespace statiq;
    struct norm final : network<decltype(input<2, 3, 2> | batch_norm)> {};
    std::mt19937 random(84);
    const rows samples = random_rows(random, 4, 12);
    for (const bool corrected : {true, false}) {
        auto parameters = support::random_parameters<norm>(random, support::dead_channels::none);
        sequential here;
        training_network<norm> training(parameters, 4, here, {.momentum = 0.75F, .corrected_variance = corrected});
        const auto outputs = training.forward(side_by_side(samples));
        for (std::size_t c = 0; c < 2; ++c) {
            double mean = 0;
            for (const auto& row : samples)
                for (std::size_t p = 0; p < 6; ++p) mean += static_cast<double>(row[2 * p + c]) / 24;
            double squares = 0;
            for (const auto& row : samples)
                for (std::size_t p = 0; p < 6; ++p) squares += std::pow(static_cast<double>(row[2 * p + c]) - mean, 2);
            const layer_parameters& before = parameters[1];
            const layer_parameters& after = training.values()[1];
            // Sums of 24 floats below 1, rounded once each, and the result.
            constexpr double tolerance = 40 * 0x1p-24;
            CHECK(std::abs(static_cast<double>(after.mean[c]) -
                           (0.75 * static_cast<double>(before.mean[c]) + 0.25 * mean)) <= tolerance);
            const double variance = squares / (corrected ? 23 : 24);
            CHECK(std::abs(static_cast<double>(after.variance[c]) -
                           (0.75 * static_cast<double>(before.variance[c]) + 0.25 * variance)) <=
                  tolerance * (1 + static_cast<double>(before.variance[c])));
            // Whatever the correction, a batch is normalized to its own spread (P2 (18)): beta, and gamma's square
            // times what epsilon leaves of 1.
            double mean_out = 0;
            double squares_out = 0;
            for (std::size_t v = c; v < outputs.size(); v += 2) mean_out += static_cast<double>(outputs[v]) / 24;
            for (std::size_t v = c; v < outputs.size(); v += 2)
                squares_out += std::pow(static_cast<double>(outputs[v]) - mean_out, 2) / 24;
            const double gamma = static_cast<double>(before.gamma[c]);
            const double spread = squares / 24 / (squares / 24 + static_cast<double>(norm::nodes[1].epsilon));
            CHECK(std::abs(mean_out - static_cast<double>(before.beta[c])) <= tolerance * 4);
            CHECK(std::abs(squares_out - gamma * gamma * spread) <= tolerance * 16);
        }
    }
}

TEST_CASE("evaluation is the float network, and learns nothing") {
    std::mt19937 random(85);
    support::for_each_random_network<0, 6>([&]<class G>() {
        const auto parameters = support::random_parameters<G>(random, support::dead_channels::none);
        const rows samples = random_rows(random, batch, statiq::input_extents<G>.size());
        statiq::sequential here;
        statiq::training_network<G> network(parameters, batch, here);
        const auto found = network.evaluate(side_by_side(samples));
        CHECK(network.values() == parameters);
        const support::real_training real(G::nodes, parameters.layers, samples, false);
        for (std::size_t v = 0; v < found.size(); ++v) {
            const auto& exact = real.values.back()[v / (found.size() / batch)][v % (found.size() / batch)];
            CHECK(std::abs(static_cast<double>(found[v]) - exact.value) <= exact.error);
        }
    });
}

TEST_CASE("the layer that first computes no finite number is found") {
    using namespace statiq;
    struct net final : network<decltype(input<4, 4, 2> | named<"first">(conv<3>(kernel<3>) | batch_norm | relu) |
                                        named<"second">(pointwise<4> | batch_norm) | global_average_pool)> {};
    std::mt19937 random(86);
    auto parameters = support::random_parameters<net>(random, support::dead_channels::none);
    const std::vector<float> input = side_by_side(random_rows(random, 2, 32));
    sequential here;
    training_network<net> sound(parameters, 2, here);
    CHECK(!sound.first_not_finite(input));
    const auto broken = static_cast<std::size_t>(find_node<net>("second"));
    parameters[broken].weight[5] = std::nanf("");
    training_network<net> unsound(parameters, 2, here);
    CHECK(unsound.first_not_finite(input) == broken);
}

TEST_CASE("a batch is a whole number of samples, and a gradient has a value for every output of each") {
    using namespace statiq;
    struct net final : network<decltype(input<1, 1, 3> | dense<2>)> {};
    std::mt19937 random(87);
    sequential here;
    training_network<net> network(support::random_parameters<net>(random), 2, here);
    const std::vector<float> values(9);
    const auto first = [&](std::size_t count) { return std::span(values).first(count); };
    CHECK_NOTHROW(network.forward(first(6)));
    CHECK_NOTHROW(network.backward(first(4)));
    CHECK_THROWS_WITH(network.backward(first(2)), "values of an output's gradient: expected 4, found 2");
    const output_gradient of_the_input{0, first(6)};
    CHECK_THROWS_WITH(network.backward(std::span(&of_the_input, 1)),
                      "outputs among the nodes with a gradient: expected 1, found 0");
    for (const std::size_t wrong : {0U, 2U, 7U, 9U})
        CHECK_THROWS_WITH(
            network.forward(first(wrong)),
            doctest::String(
                ("a batch: expected 1 to 2 samples of 3 values, found " + std::to_string(wrong) + " values").c_str()));
    CHECK_THROWS_AS(network.evaluate(first(9)), std::invalid_argument);
}
