// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "blocks.hpp"

/// Well-known small architectures, written with the library's vocabulary.
namespace architectures {

constexpr auto small_repvgg_body() {
    return input<33, 47, 3> | repvgg_stage<"stage0", 16, 2>() | repvgg_stage<"stage1", 24, 2>() | global_average_pool |
           named<"fc">(dense<5>);
}
struct small_repvgg final : network<decltype(small_repvgg_body())> {};

constexpr auto small_vgg_body() {
    constexpr auto square = []<int Channels>() { return conv<Channels>(kernel<3>) | relu; };
    return input<32, 32, 3> | named<"conv1">(square.operator()<16>() | square.operator()<16>()) | max_pool //
           | named<"conv2">(square.operator()<32>() | square.operator()<32>()) | max_pool                  //
           | named<"conv3">(square.operator()<64>()) | max_pool                                            //
           | flatten | named<"fc1">(dense<128> | relu) | named<"fc2">(dense<10>) | softmax;
}
struct small_vgg final : network<decltype(small_vgg_body())> {};

// ---- a detector's neck: layers that read earlier ones ------------------------------------------------------------

template <label Level>
constexpr auto head() {
    return from<Level> | conv<6>(kernel<1>) | flatten;
}
constexpr auto detector_body() {
    constexpr auto block = []<int Channels>() { return conv<Channels>(kernel<3>, stride<2>) | batch_norm | relu; };
    return input<64, 96, 3> | named<"p1">(block.operator()<8>()) //
           | named<"p2">(block.operator()<16>())                 //
           | named<"p3">(block.operator()<24>())                 //
           | named<"p4">(block.operator()<32>())
           // the way down again: finer levels, brought to this one's extents, beside it
           | named<"n3">(concat(from<"p2"> | max_pool, from<"p3">, from<"p1"> | average_pool(kernel<4>)) |
                         pointwise<24> | batch_norm | relu)                                //
           | named<"n4">(concat(max_pool, from<"p4">) | pointwise<32> | batch_norm | relu) //
           | named<"heads">(concat(named<"coarse">(head<"n4">()), named<"fine">(head<"n3">())));
}
struct detector final : network<decltype(detector_body())> {};

/// Joins of joins, a layer read by many, a network's input read late, and one layer that nobody reads.
constexpr auto tangle_body() {
    return input<17, 13, 4> | named<"a">(conv<8>(kernel<3>))                                                   //
           | named<"b">(concat(conv<4>(kernel<3>), identity, depthwise, max_pool(kernel<3>, stride<1>, same))) //
           | named<"unread">(conv<5>(kernel<3>)) | from<"b">                                                   //
           | named<"c">(add(pointwise<8>, from<"a">, from<"a"> | residual(depthwise) | relu))                  //
           | named<"d">(concat(from<"input">, identity, concat(relu, from<"b">))) | average_pool | flatten | dense<3>;
}
struct tangle final : network<decltype(tangle_body())> {};

} // namespace architectures
