// SPDX-License-Identifier: Apache-2.0
// rejects: padding_is_no_byte<statiq::layer_name<'c', ?'o', ?'n', ?'v'
#include <statiq/execute/model.hpp>

using namespace statiq;

constexpr auto body = [] { return input<8, 8, 3> | conv<8>(kernel<3>, padding<1>); };
struct net final : network<decltype(body)> {};

#ifdef STATIQ_REJECT
using pixels = byte_image<channel_means<127.5>, channel_deviations<127.5>>;
#else
using pixels = byte_image<channel_means<128.0>, channel_deviations<127.5>>;
#endif

auto quantized_net(const parameters<deployed<net>>& from, const node_ranges<deployed<net>>& ranges) {
    return quantize<quantized<8>, quantized<8, asymmetric>, pixels>(from, ranges);
}
