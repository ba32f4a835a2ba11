// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: quantize<weight, activation> names the numbers of both
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | named<"head">(dense<4>))> {};

#ifdef STATIQ_REJECT
using option = gemmlowp;
#else
using option = quantized<8, asymmetric>;
#endif

void quantize_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    static_cast<void>(quantize<quantized<8>, option>(from, ranges));
}
