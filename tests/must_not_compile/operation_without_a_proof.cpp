// SPDX-License-Identifier: Apache-2.0
// rejects: operation_lacks<statiq::layer_name<'m', 'i', 'n', 'e'>, statiq::proof_of_its_sums>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>

using namespace statiq;

struct mine {
    static constexpr std::string_view word = "mine";
    static constexpr operation_traits traits{.rounds = true};
    static constexpr void shape(shape_context&) {}
#ifndef STATIQ_REJECT
    static constexpr interval sums(const node&, const number_format&) { return {}; }
#endif
    template <class Call>
    static constexpr void integers(const Call&) {}
};

constexpr auto body = input<1, 1, 8> | layer_of<mine>;
struct net final : network<decltype(body)> {};
static_assert(node_count<numbers_chosen<net, quantized<8>, quantized<8, asymmetric>>> > 0);
