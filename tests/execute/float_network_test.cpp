// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/float_network.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include "../support/real_oracle.hpp"
#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

using namespace statiq;

namespace {

template <graph_type G>
std::vector<std::vector<float>> run_observed(float_network<G>& network, std::span<const float> sample) {
    std::vector<std::vector<float>> tensors(node_count<G>);
    network.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
        tensors[I].assign(values, values + G::nodes[I].out.size());
    });
    return tensors;
}

/// Each node on the inputs that it was given, against its definition. Returns how many values were outside.
template <graph_type G>
std::size_t misses(const parameters<G>& from, std::span<const float> sample) {
    float_network<G> network(from);
    const auto seen = run_observed(network, sample);
    std::vector<support::reals> tensors;
    for (const auto& values : seen) tensors.emplace_back(std::span<const float>(values));
    std::size_t outside = 0;
    for (std::size_t i = 1; i < node_count<G>; ++i) {
        const node& n = G::nodes[i];
        const support::reals expected = support::real_node(G::nodes, n, from[i], support::inputs_of(n, tensors));
        REQUIRE(seen[i].size() == n.out.size());
        for (std::size_t k = 0; k < seen[i].size(); ++k)
            if (!(std::abs(static_cast<double>(seen[i][k]) - expected.value[k]) <= expected.error[k])) ++outside;
    }
    return outside;
}

} // namespace

TEST_CASE("the family of random networks holds what the tests are to see") {
    std::set<std::string_view> kinds;
    std::set<std::tuple<int, int>> strides;
    std::set<int> kernels;
    int grouped = 0, channelwise = 0, multiplied = 0, dilated = 0, one_sided = 0, lone = 0, shared = 0, wide_joins = 0;
    int tables = 0;
    support::for_each_random_network([&]<class Net>() {
        const auto readers = detail::count_readers(Net::nodes);
        for (const node& n : Net::nodes) {
            kinds.insert(n.word());
            if (n.is<operations::add>() && n.input_count == 3) ++wide_joins;
            if (n.is<operations::table_softmax>()) ++tables;
            if (n.is<operations::batch_norm>()) {
                const auto before = static_cast<std::size_t>(n.input());
                if (!Net::nodes[before].is_linear()) ++lone;
                if (Net::nodes[before].is_linear() && readers[before] > 1) ++shared;
            }
            if (!n.is<operations::convolution>()) continue;
            strides.insert({n.over.stride_height, n.over.stride_width});
            kernels.insert({n.over.kernel_height, n.over.kernel_width});
            if (n.is_depthwise()) ++channelwise;
            if (n.is_depthwise() && n.out.channels > n.in.channels) ++multiplied;
            if (n.groups > 1 && !n.is_depthwise()) ++grouped;
            if (n.over.dilation_height > 1 || n.over.dilation_width > 1) ++dilated;
            if ((n.over.pad_top > 0) != (n.over.pad_left > 0)) ++one_sided;
        }
    });
    CHECK(kinds.size() == 18); // all but products, and functions by table
    CHECK(strides.size() >= 6);
    CHECK(kernels == std::set<int>{1, 2, 3, 4, 5});
    for (const int count : {grouped, channelwise, multiplied, dilated, one_sided, lone, shared, wide_joins, tables})
        CHECK(count >= 1);
}

TEST_CASE("every float layer computes its definition, to the roundings it makes") {
    std::mt19937 random(41);
    support::for_each_random_network([&]<class Net>() {
        const auto trained = support::random_parameters<Net>(random);
        const auto samples = support::random_inputs<Net>(random, 2);
        for (std::size_t s = 0; s < samples.size(); ++s) {
            CHECK(misses(trained, samples[s]) == 0);
            CHECK(misses(deploy(trained), samples[s]) == 0);
        }
    });
}

TEST_CASE("float layers of networks with products and functions compute their definitions") {
    std::mt19937 random(42);
    std::set<std::string_view> kinds;
    support::for_each_random_network<support::first_with_functions,
                                     support::first_with_functions + support::function_networks>([&]<class Net>() {
        for (const node& n : Net::nodes) kinds.insert(n.word());
        const auto trained = support::random_parameters<Net>(random);
        const auto samples = support::random_inputs<Net>(random, 2);
        for (std::size_t s = 0; s < samples.size(); ++s) {
            CHECK(misses(trained, samples[s]) == 0);
            CHECK(misses(deploy(trained), samples[s]) == 0);
        }
    });
    for (const char* word : {"multiply", "sigmoid", "hard_sigmoid", "hard_swish", "leaky_relu"})
        CHECK_MESSAGE(kinds.contains(word), word);
}

TEST_CASE("running a float network again gives the same, whatever ran between, and leaves the input alone") {
    std::mt19937 random(43);
    support::for_each_random_network<0, 4>([&]<class Net>() {
        const auto samples = support::random_inputs<Net>(random, 2);
        float_network network(support::random_parameters<Net>(random));
        const std::vector<float> input(samples[0].begin(), samples[0].end());
        const auto first = network(input);
        const std::vector<float> kept(first.begin(), first.end());
        network(samples[1]);
        const auto again = network(input);
        CHECK(std::equal(again.begin(), again.end(), kept.begin(), kept.end()));
        CHECK(std::equal(input.begin(), input.end(), samples[0].begin()));
    });
}

namespace {
constexpr auto residual_body =
    conv<6>(kernel<3>) | relu | residual(conv<6>(kernel<3>)) | global_average_pool | dense<3>;
struct plain final : network<decltype(input<7, 5, 2> | residual_body)> {};
struct narrowed final
    : network<decltype(input<7, 5, 2> | with<quantized<4>, quantized<8, asymmetric>>(residual_body))> {};
} // namespace

TEST_CASE("numbers that layers have for their integers do not touch the float network") {
    std::mt19937 random(44);
    const auto from = support::random_parameters<plain>(random);
    parameters<narrowed> alike;
    alike.layers = from.layers;
    const auto samples = support::random_inputs<plain>(random, 1);
    float_network expected(from);
    float_network got(alike);
    CHECK(run_observed(got, samples[0]) == run_observed(expected, samples[0]));
    CHECK(misses(alike, samples[0]) == 0);
}
