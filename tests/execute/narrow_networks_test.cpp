// SPDX-License-Identifier: Apache-2.0
#define STATIQ_HEADER_KERNELS // for formats that statiq::compiled lacks

#include <doctest/doctest.h>

#include "../support/execution_laws.hpp"
#include "../support/random_network.hpp"
#include <random>

using namespace statiq;

TEST_CASE("executions agree: 4 bit weights") {
    std::mt19937 random(104);
    support::combination_tally results;
    support::for_each_random_network<12, 14>([&]<class Net>() {
        support::check_network<Net, quantized<4, symmetric, per_channel>, quantized<8, asymmetric>>(random, results);
    });
    results.report();
}

TEST_CASE("executions agree: 3 bit weights with zero points") {
    std::mt19937 random(106);
    support::combination_tally results;
    support::for_each_random_network<16, 17>([&]<class Net>() {
        support::check_network<Net, quantized<3, asymmetric, per_channel>, quantized<8, asymmetric>>(random, results);
    });
    results.report();
}

TEST_CASE("executions agree: 2 bit weights") {
    std::mt19937 random(107);
    support::combination_tally results;
    support::for_each_random_network<17, 18>([&]<class Net>() {
        support::check_network<Net, quantized<2, symmetric>, quantized<8, asymmetric>>(random, results);
    });
    results.report();
}

namespace {
struct layers final
    : network<decltype(input<4, 4, 64> | pointwise<128> | relu | depthwise | global_average_pool | dense<16>)> {};
template <class Weight>
using stored = integer_parameters<numbers_chosen<deployed<layers>, Weight, quantized<8, asymmetric>>, float_multiplier>;
template <int Bits>
constexpr std::size_t weight_memory = sizeof(stored<quantized<Bits, symmetric, per_channel>>::bytes);
} // namespace

TEST_CASE("weights of 4 bits take half a byte each, of 2 bits a quarter, but for depthwise ones") {
    constexpr std::size_t shared = 64 * 128 + 128 * 16, depthwise_bytes = 9 * 128;
    CHECK(weight_memory<8> == shared + depthwise_bytes);
    CHECK(weight_memory<5> == shared + depthwise_bytes);
    CHECK(weight_memory<4> == shared / 2 + depthwise_bytes);
    CHECK(weight_memory<3> == shared / 2 + depthwise_bytes);
    CHECK(weight_memory<2> == shared / 4 + depthwise_bytes);
}

TEST_CASE("executions agree: 6 bit activations") {
    std::mt19937 random(105);
    support::combination_tally results;
    support::for_each_random_network<14, 16, true>([&]<class Net>() {
        support::check_network<Net, quantized<8, symmetric>, quantized<6, asymmetric>>(random, results);
    });
    results.report();
}
