// SPDX-License-Identifier: Apache-2.0
// rejects: table_softmax_needs_8_bit_inputs<statiq::layer_name<'t', 'h', 'e', '.', 's', 'o', 'f', 't', 'm', 'a', 'x'>,
// 12>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr auto last = named<"the">(table_softmax);
#else
constexpr auto last = named<"the">(softmax);
#endif

constexpr auto body = input<1, 1, 8> | with<quantized<8>, quantized<12, asymmetric>>(dense<8>) | last;
struct net final : network<decltype(body)> {};
static_assert(node_count<numbers_chosen<net, quantized<8>, quantized<8, asymmetric>>> > 0);
