// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

/// The reference networks of MLPerf Tiny beside visual wake words (networks/visual_wake_words.hpp).
namespace statiq::networks {

namespace detail {

/// conv-BN-ReLU, conv-BN, added to the input or its 1 x 1 projection; ReLU.
template <label Name, int Channels, int Stride>
constexpr auto resnet_stack() {
    constexpr auto body = named<"conv1">(conv<Channels>(kernel<3>, stride<Stride>, with_bias) | batch_norm | relu) |
                          named<"conv2">(conv<Channels>(kernel<3>, with_bias) | batch_norm);
    if constexpr (Stride == 1)
        return named<Name>(add(identity, body) | relu);
    else
        return named<Name>(add(named<"shortcut">(pointwise<Channels>(stride<Stride>, with_bias)), body) | relu);
}

template <int Channels>
constexpr auto resnet8_body() {
    return input<32, 32, 3>                                                           //
           | named<"conv0">(conv<Channels>(kernel<3>, with_bias) | batch_norm | relu) //
           | resnet_stack<"stack1", Channels, 1>()                                    //
           | resnet_stack<"stack2", 2 * Channels, 2>()                                //
           | resnet_stack<"stack3", 4 * Channels, 2>()                                //
           | average_pool(kernel<8>) | flatten | named<"fc">(dense<10>) | softmax;
}

template <label Depthwise, label Pointwise>
constexpr auto ds_cnn_block() {
    return named<Depthwise>(depthwise(with_bias) | batch_norm | relu) |
           named<Pointwise>(pointwise<64>(with_bias) | batch_norm | relu);
}

constexpr auto ds_cnn_body() {
    return input<49, 10, 1>                                                                    //
           | named<"conv0">(conv<64>(kernel<10, 4>, stride<2>, with_bias) | batch_norm | relu) //
           | ds_cnn_block<"dw1", "pw1">()                                                      //
           | ds_cnn_block<"dw2", "pw2">()                                                      //
           | ds_cnn_block<"dw3", "pw3">()                                                      //
           | ds_cnn_block<"dw4", "pw4">()                                                      //
           | average_pool(kernel<25, 5>) | flatten | named<"fc">(dense<12>) | softmax;
}

template <label Name, int Units>
constexpr auto autoencoder_layer() {
    return named<Name>(dense<Units>(with_bias) | batch_norm | relu);
}

constexpr auto autoencoder_body() {
    return input<1, 1, 640>                       //
           | autoencoder_layer<"encoder1", 128>() //
           | autoencoder_layer<"encoder2", 128>() //
           | autoencoder_layer<"encoder3", 128>() //
           | autoencoder_layer<"encoder4", 128>() //
           | autoencoder_layer<"bottleneck", 8>() //
           | autoencoder_layer<"decoder1", 128>() //
           | autoencoder_layer<"decoder2", 128>() //
           | autoencoder_layer<"decoder3", 128>() //
           | autoencoder_layer<"decoder4", 128>() //
           | named<"output">(dense<640>);
}

} // namespace detail

/// ResNet-8 for 32 x 32 images (image classification): `conv0`, `stack1.conv1` … `stack3.shortcut`, `fc`.
/// @tparam Channels of the first stack; they double in the second and the third.
template <int Channels = 16>
struct resnet8 final : network<decltype(detail::resnet8_body<Channels>())> {};

/// DS-CNN on 49 x 10 spectrograms (keyword spotting): `conv0`, `dw1`, `pw1` … `pw4`, `fc`.
struct ds_cnn final : network<decltype(detail::ds_cnn_body())> {};

/// The dense autoencoder on 5 frames of 128 mel bands (anomaly detection): `encoder1` … `decoder4`, `output`.
struct autoencoder final : network<decltype(detail::autoencoder_body())> {};

} // namespace statiq::networks
