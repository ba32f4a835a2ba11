// SPDX-License-Identifier: Apache-2.0
// rejects: no_such_option<statiq::per_channel>
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | named<"head">(dense<4>))> {};

#ifdef STATIQ_REJECT
using weight = quantized<8, symmetric>;
using option = per_channel;
#else
using weight = quantized<8, symmetric, per_channel>;
using option = gemmlowp;
#endif

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    return quantize<option, weight, quantized<8, asymmetric>>(from, ranges);
}
