// SPDX-License-Identifier: Apache-2.0
// rejects: elementwise_needs_8_bit_inputs<statiq::layer_name<'s', 'i', 'l', 'u'>, 12>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using before = quantized<12, asymmetric>;
#else
using before = quantized<8, asymmetric>;
#endif

constexpr auto body = input<1, 1, 8> | with<quantized<8>, before>(dense<8>) | silu;
struct net final : network<decltype(body)> {};
static_assert(node_count<numbers_chosen<net, quantized<8>, quantized<8, asymmetric>>> > 0);
