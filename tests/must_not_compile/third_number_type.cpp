// SPDX-License-Identifier: Apache-2.0
// rejects: third_number_type<statiq::quantized<4
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | named<"head">(dense<4>))> {};

#ifdef STATIQ_REJECT
using option = quantized<4>;
#else
using option = for_layer<"head", quantized<4>>;
#endif

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    return quantize<gemmlowp, quantized<8>, quantized<8, asymmetric>, option>(from, ranges);
}
