// SPDX-License-Identifier: Apache-2.0
// rejects: statiq: this model takes reals
#include <statiq/execute/model.hpp>

using namespace statiq;

struct net final : network<decltype(input<1, 1, 3> | dense<4>)> {};

#ifdef STATIQ_REJECT
using option = gemmlowp;
#else
using option = byte_image<channel_means<127.5>>;
#endif

auto scores(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    const std::array<std::uint8_t, 3> image{};
    return quantize<quantized<8>, quantized<8, asymmetric>, option>(from, ranges)(image);
}
