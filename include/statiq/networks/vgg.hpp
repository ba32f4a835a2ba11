// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

namespace statiq::networks {

namespace detail {

/// `Count` 3 x 3 convolutions with batch norm and ReLU, then a pool: "conv<stage>.0" and so on.
template <int Channels, int Count, int Index = 0>
constexpr auto vgg_stage() {
    constexpr auto layer_part =
        named<label("") + Index>(conv<Channels>(kernel<3>, padding<1>, with_bias) | batch_norm | relu);
    if constexpr (Index + 1 == Count)
        return layer_part | max_pool;
    else
        return layer_part | vgg_stage<Channels, Count, Index + 1>();
}

template <int Classes>
constexpr auto vgg16_cifar_body() {
    return input<32, 32, 3>                      //
           | named<"conv1">(vgg_stage<64, 2>())  //
           | named<"conv2">(vgg_stage<128, 2>()) //
           | named<"conv3">(vgg_stage<256, 3>()) //
           | named<"conv4">(vgg_stage<512, 3>()) //
           | named<"conv5">(vgg_stage<512, 3>()) //
           | flatten | named<"fc1">(dense<512> | relu) | named<"fc2">(dense<Classes>);
}

constexpr auto vgg_small_body() {
    return input<32, 32, 3>                      //
           | named<"conv1">(vgg_stage<32, 2>())  //
           | named<"conv2">(vgg_stage<64, 2>())  //
           | named<"conv3">(vgg_stage<128, 2>()) //
           | flatten | named<"fc1">(dense<128> | relu) | named<"fc2">(dense<10>);
}

} // namespace detail

/// VGG-16 with batch norm for 32 x 32 images (P6): `conv1.0` … `conv5.2`, `fc1`, `fc2`; raw pixels 0 to 255.
template <int Classes = 10>
struct vgg16_cifar final : network<decltype(detail::vgg16_cifar_body<Classes>())> {};

/// A VGG in small, with batch norm, for 32 x 32 images: `conv1.0` … `conv3.1`, `fc1`, `fc2`.
struct vgg_small final : network<decltype(detail::vgg_small_body())> {};

} // namespace statiq::networks
