// SPDX-License-Identifier: Apache-2.0
// rejects: two_byte_images<statiq::byte_image
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | dense<4>)> {};

#ifdef STATIQ_REJECT
using option = byte_image<>;
#else
using option = gemmlowp;
#endif

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    return quantize<quantized<8>, quantized<8, asymmetric>, byte_image<channel_means<3.0>>, option>(from, ranges);
}
