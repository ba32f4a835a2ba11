// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/float_network.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include "../support/strewn_reals.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <vector>

using namespace statiq;

namespace {

template <class Body>
constexpr auto fused_nodes(const Body&) {
    return activations_fused<network<Body>>::nodes;
}

// Fused: into convolutions, dense layers and sums that nothing else reads.
constexpr auto convolution_relu = fused_nodes(input<4, 4, 2> | conv<3> | relu);
static_assert(convolution_relu.size() == 2 && convolution_relu[1].clamp == relu_clamp);
constexpr auto dense_relu6 = fused_nodes(input<1, 1, 8> | dense<3> | relu6 | dense<2>);
static_assert(dense_relu6.size() == 3 && dense_relu6[1].clamp == relu6_clamp);
static_assert(dense_relu6[2].input() == 1 && dense_relu6[2].clamp == real_clamp{});
constexpr auto sum_relu = fused_nodes(input<4, 4, 3> | residual(conv<3>) | relu);
static_assert(sum_relu.size() == 3 && sum_relu[2].is<operations::add>() && sum_relu[2].clamp == relu_clamp);

// Not fused: where the value is read elsewhere too, or the producer cannot clamp.
constexpr auto two_readers = fused_nodes(input<4, 4, 2> | conv<3> | add(relu, identity));
static_assert(two_readers.size() == 4 && two_readers[1].clamp == real_clamp{});
static_assert(two_readers[2].word() == "relu" && two_readers[2].input() == 1);
constexpr auto pooled = fused_nodes(input<4, 4, 2> | max_pool | relu);
static_assert(pooled.size() == 3 && pooled[2].word() == "relu");
constexpr auto joined = fused_nodes(input<4, 4, 2> | concat(conv<3>, identity) | relu6);
static_assert(joined.size() == 4 && joined[2].clamp == real_clamp{});
constexpr auto on_input = fused_nodes(input<4, 4, 2> | relu);
static_assert(on_input.size() == 2);

// One clamp a node: the second activation stays.
constexpr auto twice = fused_nodes(input<4, 4, 2> | conv<3> | relu6 | relu | conv<1>);
static_assert(twice.size() == 4 && twice[1].clamp == relu6_clamp);
static_assert(twice[2].word() == "relu" && twice[2].input() == 1 && twice[3].input() == 2);

// The fused value has the activation's numbers.
using four_bits = quantized<4, asymmetric>;
constexpr auto numbered = fused_nodes(input<4, 4, 2> | conv<3> | with<quantized<8>, four_bits>(relu));
static_assert(numbered[1].numbers.chosen_activation && numbered[1].numbers.activation == four_bits::format);

} // namespace

TEST_CASE("an activation is gone exactly where its producer clamps for it alone") {
    support::for_each_random_network([]<class Net>() {
        using folded = batch_norm_folded<Net>;
        using fused = activations_fused<folded>;
        std::size_t clamps = 0;
        for (const node& n : fused::nodes)
            if (n.has_fused_clamp()) ++clamps;
        CHECK(node_count<fused> == node_count<folded> - clamps);
        const auto readers = detail::count_readers(folded::nodes);
        for (std::size_t i = 0; i < node_count<fused>; ++i) {
            const node& n = fused::nodes[i];
            const node& from = folded::nodes[static_cast<std::size_t>(fused::origin[i])];
            if (n.has_fused_clamp()) {
                CHECK((n.is_linear() || n.is<operations::add>()));
                CHECK((from.traits().clamps && from.clamp == n.clamp));
                CHECK(readers[static_cast<std::size_t>(from.input())] == 1);
                CHECK(folded::nodes[static_cast<std::size_t>(from.input())].name == n.name);
            } else {
                CHECK(from.facts == n.facts);
                CHECK(from.name == n.name);
            }
        }
    });
}

namespace {
/// Every kind of layer that clamps, in the loops that vector registers have for it.
struct clamping final
    : network<decltype(input<9, 9, 3> | conv<6>(kernel<3>) | relu6 | depthwise(kernel<3>) | relu |
                       depthwise(kernel<5>, stride<2>) | relu_n1_to_1 | residual(pointwise<6>) | relu6 |
                       depthwise(kernel<3>, dilation<2>) | relu | max_pool | flatten | dense<7> | relu)> {};
} // namespace

TEST_CASE("a fused clamp is the activation it replaces, of reals that are no numbers too") {
    using fused = activations_fused<clamping>;
    static_assert(node_count<clamping> == node_count<fused> + 6);
    std::mt19937 random(72);
    for (int trial = 0; trial < 200; ++trial) {
        auto from = zero_parameters<clamping>();
        for (std::size_t i = 0; i < node_count<clamping>; ++i)
            for (std::vector<float>* values : {&from[i].weight, &from[i].bias})
                *values = support::strewn_reals<std::vector<float>>(random, values->size());
        const auto input = support::strewn_reals<std::vector<float>>(random, clamping::nodes[0].out.size());
        float_network<clamping> apart(from);
        float_network<fused> together(fuse_activations(from));
        std::array<std::vector<float>, node_count<clamping>> expected;
        apart.run(input, [&]<std::size_t I>(node_index<I>, const float* values) {
            expected[I].assign(values, values + clamping::nodes[I].out.size());
        });
        together.run(input, [&]<std::size_t I>(node_index<I>, const float* values) {
            const std::vector<float> found(values, values + fused::nodes[I].out.size());
            CHECK(support::same_reals(found, expected[static_cast<std::size_t>(fused::origin[I])]));
        });
    }
}

TEST_CASE("fusing moves parameters and changes none; fusing again changes nothing") {
    std::mt19937 random(71);
    support::for_each_random_network([&]<class Net>() {
        using fused = activations_fused<Net>;
        using again = activations_fused<fused>;
        CHECK(std::equal(fused::nodes.begin(), fused::nodes.end(), again::nodes.begin(), again::nodes.end()));
        const auto before = support::random_parameters<Net>(random);
        const auto after = fuse_activations(before);
        for (std::size_t i = 0; i < node_count<fused>; ++i) {
            const int alike = find_node<Net>(fused::nodes[i].name.view());
            REQUIRE(alike >= 0);
            CHECK(after[i] == before[static_cast<std::size_t>(alike)]);
        }
        CHECK(fuse_activations(after).layers == after.layers);
    });
}
