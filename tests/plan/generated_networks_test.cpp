// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/plan/facts.hpp>

#include <doctest/doctest.h>

#include "plan_laws.hpp"
#include <cstdint>
#include <utility>

using namespace statiq;
using namespace plan_test;

namespace {

/// splitmix32 of a seed and a position: the same networks in every build.
constexpr std::uint32_t draw(std::uint32_t seed, std::uint32_t position) {
    std::uint32_t z = seed * 0x9e3779b9U + position * 0x85ebca6bU + 1;
    z = (z ^ (z >> 16)) * 0x21f0aaadU;
    z = (z ^ (z >> 15)) * 0x735a2d97U;
    return z ^ (z >> 15);
}

template <std::uint32_t Seed, int Position>
constexpr auto random_part() {
    constexpr auto choice = [](std::uint32_t which, int count) {
        return static_cast<int>(draw(Seed, 16U * static_cast<std::uint32_t>(Position) + which) %
                                static_cast<std::uint32_t>(count));
    };
    constexpr int channels = 4 + 4 * choice(1, 8);
    constexpr int others = 4 + 4 * choice(2, 8);
    constexpr int kind = choice(0, 8);
    if constexpr (kind == 0)
        return conv<channels>(kernel<3>, stride<1 + choice(3, 2)>) | batch_norm | relu;
    else if constexpr (kind == 1)
        return depthwise(stride<1 + choice(3, 2)>) | batch_norm | relu6 | pointwise<channels> | batch_norm | relu6;
    else if constexpr (kind == 2)
        return residual(depthwise | batch_norm | relu | average_pool(kernel<3>, stride<1>, same));
    else if constexpr (kind == 3)
        return concat(pointwise<channels>, identity, pointwise<others> | conv<channels>(kernel<3>) | relu);
    else if constexpr (kind == 4)
        return max_pool(kernel<3>, stride<2>, same);
    else if constexpr (kind == 5)
        return add(conv<channels>(kernel<3>) | batch_norm, conv<channels> | batch_norm,
                   pointwise<others> | relu | conv<channels>(kernel<1, 3>)) |
               relu;
    else if constexpr (kind == 6)
        return pointwise<channels> | residual(concat(relu, pointwise<others>) | pointwise<channels>);
    else
        return concat(max_pool(kernel<3>, stride<1>, same), pointwise<channels> | depthwise | pointwise<others>,
                      residual(relu6));
}

template <std::uint32_t Seed, int... Position>
constexpr auto random_body(std::integer_sequence<int, Position...>) {
    return input<31 + static_cast<int>(Seed % 7), 26, 3> | (random_part<Seed, Position>() | ...) | global_average_pool |
           dense<10>;
}

template <std::uint32_t Seed>
struct random_network final : network<decltype(random_body<Seed>(std::make_integer_sequence<int, 8>{}))> {};

template <graph_type G>
void check_plan() {
    CHECK(broken_law(G::nodes, memory_plan_of<G>) == "");
    CHECK(within_five_percent(memory_plan_of<G>));
}

template <std::uint32_t... Seed>
void check_networks(std::integer_sequence<std::uint32_t, Seed...>) {
    (check_plan<random_network<Seed>>(), ...);
    (check_plan<numbers_chosen<deployed<random_network<Seed>>, quantized<8>, quantized<8, asymmetric>>>(), ...);
}

} // namespace

TEST_CASE("networks made up of random blocks") {
    check_networks(std::make_integer_sequence<std::uint32_t, 10>{});
    CHECK(random_network<0>::nodes.size() != random_network<1>::nodes.size());
}
