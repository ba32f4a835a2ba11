// SPDX-License-Identifier: Apache-2.0
// rejects: softmax_needs_8_bits_and_a_zero_point<statiq::layer_name<'s', 'o', 'f', 't', 'm', 'a', 'x'>, 16>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using weights = quantized<8>;
using activations = quantized<16, asymmetric>;
#else
using weights = quantized<8>;
using activations = quantized<8, asymmetric>;
#endif

constexpr auto body = input<1, 1, 8> | softmax;
struct net final : network<decltype(body)> {};
using chosen = numbers_chosen<net, weights, activations>;
static_assert(node_count<chosen> > 0);
