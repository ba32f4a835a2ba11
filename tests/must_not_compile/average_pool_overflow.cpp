// SPDX-License-Identifier: Apache-2.0
// rejects: accumulator_overflow<statiq::layer_name<.*'p', 'o', 'o', 'l'>, 33, 32>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using weights = quantized<8>;
using activations = quantized<16, asymmetric>;
#else
using weights = quantized<8>;
using activations = quantized<15, asymmetric>;
#endif

constexpr auto body = input<256, 200, 2> | average_pool(kernel<256, 200>);
struct net final : network<decltype(body)> {};
using chosen = numbers_chosen<net, weights, activations>;
static_assert(node_count<chosen> > 0);
