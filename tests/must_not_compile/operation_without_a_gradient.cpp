// SPDX-License-Identifier: Apache-2.0
// rejects: operation_lacks<statiq::layer_name<'s', 't', 'e', 'p'>, statiq::definition_of_gradient>
#include <statiq/operations/library.hpp>
#include <statiq/train/training_network.hpp>

using namespace statiq;

struct step {
    static constexpr std::string_view word = "step";
    float operator()(float x) const { return x < 0 ? 0.0F : 1.0F; }
#ifndef STATIQ_REJECT
    float derivative(float) const { return 1; } // straight through
#endif
};

constexpr auto body = input<1, 1, 8> | dense<4> | elementwise<step>;
struct net final : network<decltype(body)> {};
static_assert(sizeof(training_network<net>) > 0);
