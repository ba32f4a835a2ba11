// SPDX-License-Identifier: Apache-2.0
// rejects: ranges_of_another_network<
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | dense<4>)> {};
struct other final : network<decltype(input<1, 1, 3> | dense<5>)> {}; // as many layers

#ifdef STATIQ_REJECT
using observed_network = other;
#else
using observed_network = net;
#endif

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<observed_network>>& ranges) {
    return quantize<quantized<8>, quantized<8, asymmetric>>(from, ranges);
}
