// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/float_network.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include "../support/real_oracle.hpp"
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

using namespace statiq;

namespace {

/// Folding rounds each parameter to float once. Those of the family stay below 1000 on the way, where double is off by
/// less than 2^-40.
constexpr support::parameter_error folding{.relative = support::unit_roundoff, .absolute = 0x1p-40};

/// The trained node whose value a deployed node has.
template <graph_type G>
constexpr std::size_t trained_node(std::size_t index) {
    return static_cast<std::size_t>(deployed<G>::origin[index]);
}

template <graph_type G>
std::vector<std::vector<float>> float_execution(const parameters<G>& from, std::span<const float> sample) {
    std::vector<std::vector<float>> tensors(node_count<G>);
    float_network<G> network(from);
    network.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
        tensors[I].assign(values, values + G::nodes[I].out.size());
    });
    return tensors;
}

} // namespace

TEST_CASE("each deployed layer is the chain of trained layers it stands for, to the rounding of its parameters") {
    std::mt19937 random(61);
    support::for_each_random_network([&]<class Net>() {
        using D = deployed<Net>;
        const auto trained = support::random_parameters<Net>(random);
        const auto parameters = deploy(trained);
        const auto samples = support::random_inputs<Net>(random, 1);
        std::vector<support::reals> real = support::real_execution(trained, samples[0]);
        for (auto& tensor : real) std::fill(tensor.error.begin(), tensor.error.end(), 0.0);
        std::size_t outside = 0;
        for (std::size_t i = 1; i < node_count<D>; ++i) {
            const node& n = D::nodes[i];
            std::vector<const support::reals*> inputs;
            for (int k = 0; k < n.input_count; ++k)
                inputs.push_back(
                    &real[trained_node<Net>(static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)]))]);
            const support::reals y = support::real_node(D::nodes, n, parameters[i], inputs, folding);
            const support::reals& expected = real[trained_node<Net>(i)];
            REQUIRE(y.value.size() == expected.value.size());
            for (std::size_t k = 0; k < y.value.size(); ++k)
                if (!(std::abs(y.value[k] - expected.value[k]) <= y.error[k])) ++outside;
        }
        CHECK(outside == 0);
    });
}

TEST_CASE("trained and deployed float networks compute the trained graph's reals, errors carried through") {
    std::mt19937 random(62);
    std::vector<double> relative_bounds;
    support::for_each_random_network<0, 6>([&]<class Net>() {
        using D = deployed<Net>;
        const auto trained = support::random_parameters<Net>(random, support::dead_channels::none);
        const auto parameters = deploy(trained);
        const auto samples = support::random_inputs<Net>(random, 1);
        const auto real = support::real_execution(trained, samples[0]);
        const auto deployed_real = support::real_execution(parameters, samples[0], folding);
        const auto trained_floats = float_execution(trained, samples[0]);
        const auto deployed_floats = float_execution(parameters, samples[0]);

        std::size_t outside = 0;
        for (std::size_t i = 0; i < node_count<Net>; ++i)
            for (std::size_t k = 0; k < trained_floats[i].size(); ++k)
                if (!(std::abs(static_cast<double>(trained_floats[i][k]) - real[i].value[k]) <= real[i].error[k]))
                    ++outside;
        for (std::size_t i = 0; i < node_count<D>; ++i) {
            const support::reals& exact = real[trained_node<Net>(i)];
            for (std::size_t k = 0; k < deployed_floats[i].size(); ++k)
                if (!(std::abs(static_cast<double>(deployed_floats[i][k]) - exact.value[k]) <=
                      deployed_real[i].error[k]))
                    ++outside;
        }
        CHECK(outside == 0);

        // Worst cases multiply up along a network: the bound is worth something while it is small beside the values.
        // The case above, layer by layer, has no such slack.
        double largest = 0;
        double bound = 0;
        const support::reals& last = deployed_real.back();
        for (std::size_t k = 0; k < last.value.size(); ++k) {
            largest = std::max(largest, std::abs(last.value[k]));
            bound = std::max(bound, last.error[k]);
        }
        relative_bounds.push_back(bound / largest);
    });
    std::sort(relative_bounds.begin(), relative_bounds.end());
    MESSAGE("bound / largest output: median ", relative_bounds[relative_bounds.size() / 2], ", worst ",
            relative_bounds.back());
    CHECK(relative_bounds[relative_bounds.size() / 2] < 0.05);
}
