// SPDX-License-Identifier: Apache-2.0
// rejects: network<.*lambda
// rejects: channel_mismatch<statiq::layer_name<'a', ?'d', ?'d'>, 24, 16>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

using namespace statiq;

#ifdef STATIQ_REJECT
constexpr int channels = 24;
#else
constexpr int channels = 16;
#endif

constexpr auto body = [] {
    return input<8, 8, 3> | conv<8>(kernel<3>) | batch_norm | relu | depthwise(kernel<3>) | batch_norm | relu |
           pointwise<16> | batch_norm | relu | residual(pointwise<channels> | batch_norm) | global_average_pool |
           dense<10> | softmax;
};
struct net final : network<decltype(body)> {};
