// SPDX-License-Identifier: Apache-2.0
// rejects: numbers_given_twice<statiq::layer_name<'h'
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | named<"first">(dense<4>) | named<"head">(dense<4>))> {};

#ifdef STATIQ_REJECT
using first = for_layer<"head", quantized<6>>;
#else
using first = for_layer<"first", quantized<6>>;
#endif

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    return quantize<quantized<8>, quantized<8, asymmetric>, first, for_layer<"head", quantized<4>>>(from, ranges);
}
