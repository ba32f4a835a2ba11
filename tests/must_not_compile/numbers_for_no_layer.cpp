// SPDX-License-Identifier: Apache-2.0
// rejects: no_layer_of_this_name<statiq::layer_name<'d', 'w', '2'>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
using wide = for_layer<"dw2", quantized<16>>;
#else
using wide = for_layer<"dw1", quantized<16>>;
#endif

constexpr auto body = input<8, 8, 8> | named<"dw1">(depthwise(without_bias)) | relu;
struct net final : network<decltype(body)> {};
using chosen = numbers_chosen<net, quantized<8>, quantized<8, asymmetric>, quantized<8>, wide>;
static_assert(node_count<chosen> > 0);
