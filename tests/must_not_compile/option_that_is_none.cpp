// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: an option of quantize is for_layer<...> or a requantization scheme
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | named<"head">(dense<4>))> {};
using head = for_layer<"head", quantized<4>>;

#ifdef STATIQ_REJECT
using option = quantized<4>;
#else
using option = gemmlowp;
#endif

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    return quantize<quantized<8>, quantized<8, asymmetric>, head, option>(from, ranges);
}
