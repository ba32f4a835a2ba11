// SPDX-License-Identifier: Apache-2.0
#include "trainee.hpp"

namespace train {

const std::map<std::string, network_entry>& networks() {
    const sq::io::preprocessing cifar = sq::io::normalized({.4914F, .4822F, .4465F}, {.2470F, .2435F, .2616F});
    const std::string cifar_words = "(x / 255 - mean) / deviation of CIFAR-10, 32x32 RGB";
    static const std::map<std::string, network_entry> known{
        {"digits",
         {"x / 8 - 1, 8x8 grey, 0 to 16",
          {.scale = {1.0F / 8.0F}, .offset = {-1.0F}},
          false,
          digits,
          digits_integers,
          digits_quantized}},
        {"vgg_small", {cifar_words, cifar, false, vgg_small, vgg_small_integers, vgg_small_quantized}},
        {"vgg16_cifar", {"0 to 255, 32x32 RGB", {}, false, vgg16_cifar, vgg16_cifar_integers, nullptr}},
        {"mobilenet_v1_small",
         {cifar_words, cifar, false, mobilenet_v1_small, mobilenet_v1_small_integers, mobilenet_v1_small_quantized}},
        {"mobilenet_v1_small_plain_depthwise",
         {cifar_words, cifar, false, mobilenet_v1_small_plain_depthwise, mobilenet_v1_small_plain_depthwise_integers,
          nullptr}},
        {"mobilenet_v1_small_friendly",
         {cifar_words, cifar, false, mobilenet_v1_small_friendly, mobilenet_v1_small_friendly_integers,
          mobilenet_v1_small_friendly_quantized}},
        {"repvgg_s0", {cifar_words + "; S1 with the custom L2", cifar, true, repvgg_s1, repvgg_s1_integers, nullptr}},
        {"repvgg_s1", {cifar_words, cifar, false, repvgg_s1, repvgg_s1_integers, nullptr}},
        {"repvgg_s2", {cifar_words, cifar, false, repvgg_s2, repvgg_s2_integers, nullptr}},
        {"repvgg_s3", {cifar_words, cifar, false, repvgg_s3, repvgg_s3_integers, nullptr}},
        {"repvgg_s4", {cifar_words, cifar, false, repvgg_s4, repvgg_s4_integers, nullptr}},
    };
    return known;
}

} // namespace train
