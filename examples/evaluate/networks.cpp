// SPDX-License-Identifier: Apache-2.0
#include "subject.hpp"

namespace evaluate {

const std::map<std::string, network_entry>& networks() {
    static const std::map<std::string, network_entry> known{
        {"digits", {"x / 8 - 1, 8x8 grey, 0 to 16", true, digits}},
        {"mobilenet_v1_0.25_224", {"x / 127.5 - 1, 224x224 RGB", true, mobilenet_v1_025}},
        {"mobilenet_v1_0.75_224", {"x / 127.5 - 1, 224x224 RGB", true, mobilenet_v1_075}},
        {"mobilenet_v1_1.0_224_to_dw13", {"x / 127.5 - 1, 224x224 RGB", false, mobilenet_v1_100_to_dw13}},
        {"mobileone_s0_224",
         {"(x / 255 - mean) / deviation of ImageNet, 224x224 RGB; deployed form", true, mobileone_s0}},
        {"repvgg_small", {"(x / 255 - mean) / deviation of CIFAR-10, 32x32 RGB", true, repvgg_small}},
        {"vww_96", {"x / 255, 96x96 RGB", true, visual_wake_words}},
    };
    return known;
}

} // namespace evaluate
