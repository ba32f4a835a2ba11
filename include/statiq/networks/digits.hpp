// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/operations/library.hpp>

namespace statiq::networks {

namespace detail {
constexpr auto digits_body() {
    using blocks = original_blocks;
    return input<8, 8, 1> | named<"conv0">(conv<8>(kernel<3>) | batch_norm | relu6) //
           | blocks::separable<1, 16, 1>()                                          //
           | blocks::separable<2, 32, 2>()                                          //
           | blocks::separable<3, 32, 1>()                                          //
           | global_average_pool | named<"fc">(dense<10>);
}
} // namespace detail

/// A MobileNetV1 in small, for the 8 x 8 digits of the UCI collection: pixels 0 to 16 as x / 8 - 1.
struct digits final : network<decltype(detail::digits_body())> {};

} // namespace statiq::networks
