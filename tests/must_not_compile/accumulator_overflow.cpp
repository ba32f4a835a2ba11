// SPDX-License-Identifier: Apache-2.0
// rejects: accumulator_overflow<statiq::layer_name<'a'>, 33, 32>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using weights = quantized<8>;
using activations = quantized<16>;
#else
using weights = quantized<7>;
using activations = quantized<16>;
#endif

constexpr auto body = input<1, 1, 600> | named<"a">(dense<8>);
struct net final : network<decltype(body)> {};
using chosen = numbers_chosen<net, weights, activations>;
static_assert(node_count<chosen> > 0);
