// SPDX-License-Identifier: Apache-2.0
// rejects: operation_lacks<statiq::layer_name<'m', 'i', 'n', 'e'>, statiq::definition_in_reals>
#include <statiq/execute/float_network.hpp>

using namespace statiq;

struct mine {
    static constexpr std::string_view word = "mine";
    static constexpr operation_traits traits{.rounds = true};
    static constexpr void shape(shape_context&) {}
#ifndef STATIQ_REJECT
    template <class Call>
    static constexpr void reals(const Call&) {}
#endif
};

struct net final : network<decltype(input<1, 1, 8> | layer_of<mine>)> {};
static_assert(sizeof(float_network<net>) > 0);
