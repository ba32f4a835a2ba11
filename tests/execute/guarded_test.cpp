// SPDX-License-Identifier: Apache-2.0
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/model.hpp>

#include <doctest/doctest.h>

#include "../support/guarded.hpp"
#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <type_traits>

using namespace statiq;

namespace {

/// Memory that is as aligned as parameters and arenas must be.
struct alignas(64) line {
    std::byte bytes[64];
};
static_assert(alignof(line) >= arena_alignment);

/// Runs a network whose parameters, arena and input lie between guards: the run touches nothing beyond them.
template <number_type Weight, class Net>
void check_guarded(std::mt19937& random) {
    const auto parameters = deploy(support::random_parameters<Net>(random));
    const auto samples = support::random_inputs<Net>(random, 2);
    auto model = quantize<Weight, quantized<8, asymmetric>>(parameters, calibrate(parameters, samples));
    using network_type = std::remove_cvref_t<decltype(model.network())>;
    using parameters_type = typename network_type::parameters_type;
    static_assert(sizeof(parameters_type) % sizeof(line) == 0 && network_type::arena_size % sizeof(line) == 0);

    support::guarded_vector<typename network_type::input_type> input(network_type::input_size);
    for (auto& value : input) value = static_cast<typename network_type::input_type>(random() % 256);
    const auto expected = model.network().run(input);
    for (int turn = 0; turn < 2; ++turn) { // each lies once at a guard's beginning and once at an end
        support::guarded_vector<line> stored(sizeof(parameters_type) / sizeof(line));
        std::memcpy(stored.data(), model.bytes().data(), model.bytes().size());
        support::guarded_vector<line> arena(network_type::arena_size / sizeof(line));
        const support::guarded_vector<typename network_type::input_type> guarded_input(input.begin(), input.end());
        const auto in_place = parameters_from_bytes<typename decltype(model)::graph>(
            std::as_bytes(std::span(stored.data(), stored.size())));
        REQUIRE(in_place);
        network_type network(*in_place,
                             std::span(reinterpret_cast<std::uint8_t*>(arena.data()), network_type::arena_size));
        const auto output = network.run(guarded_input);
        CHECK(std::equal(output.begin(), output.end(), expected.begin(), expected.end()));
    }
}

struct wide final : network<decltype(input<9, 11, 3> | conv<150>(kernel<3>, stride<2>) | relu | depthwise | relu6 |
                                     conv<136> | add(conv<136> | relu, identity) | concat(max_pool, average_pool) |
                                     depthwise(kernel<5>, stride<2>) | conv<33>(kernel<3>) | flatten | dense<30>)> {};

} // namespace

TEST_CASE("inference touches nothing beyond parameters, arena and input") {
    std::mt19937 random(161);
    check_guarded<quantized<8, symmetric, per_channel>, wide>(random);
    check_guarded<quantized<8, asymmetric>, wide>(random);
    support::for_each_random_network<0, 3>(
        [&]<class Net>() { check_guarded<quantized<8, symmetric, per_channel>, Net>(random); });
}
