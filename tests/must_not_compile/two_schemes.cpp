// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: a network has one requantization scheme
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | named<"head">(dense<4>))> {};
using head = for_layer<"head", quantized<4>>;

#ifdef STATIQ_REJECT
using option = single_rounding;
#else
using option = head;
#endif

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    return quantize<quantized<8>, quantized<8, asymmetric>, gemmlowp, option>(from, ranges);
}
