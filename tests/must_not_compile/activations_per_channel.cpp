// SPDX-License-Identifier: Apache-2.0
// rejects: one_scale_per_activation<statiq::layer_name<'i', 'n', 'p', 'u', 't'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using weights = quantized<8>;
using activations = quantized<8, asymmetric, per_channel>;
#else
using weights = quantized<8>;
using activations = quantized<8, asymmetric>;
#endif

constexpr auto body = input<8, 8, 8> | named<"a">(conv<8>(kernel<3>)) | relu;
struct net final : network<decltype(body)> {};
using chosen = numbers_chosen<net, weights, activations>;
static_assert(node_count<chosen> > 0);
