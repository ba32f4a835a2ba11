// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>
#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/networks/repvgg.hpp>
#include <statiq/networks/vgg.hpp>

#include "trainee.hpp"

namespace train {

namespace {

namespace nets = sq::networks;

/// A network's pixels, in words and in numbers.
struct pixels {
    std::string words;
    sq::io::preprocessing how{};
};
const pixels cifar{"(x / 255 - mean) / deviation of CIFAR-10, 32x32 RGB",
                   sq::io::normalized({.4914F, .4822F, .4465F}, {.2470F, .2435F, .2616F})};

template <class Net>
network_entry in_floats(const pixels& of) {
    return {.pixels = of.words, .how = of.how, .make = make_trainee<Net>, .run_integers = run_integers<Net>};
}
template <class Net>
network_entry in_any_numbers(const pixels& of) {
    network_entry entry = in_floats<Net>(of);
    entry.make_quantized = make_quantized_trainee<Net>;
    return entry;
}
network_entry with_custom_l2(network_entry entry) {
    entry.custom_l2 = true;
    return entry;
}

} // namespace

const std::map<std::string, network_entry>& networks() {
    using repvgg_s1 = nets::repvgg_small<nets::repvgg_blocks_s1>;
    static const std::map<std::string, network_entry> known{
        {"digits",
         in_any_numbers<nets::digits>({"x / 8 - 1, 8x8 grey, 0 to 16", {.scale = {1.0F / 8.0F}, .offset = {-1.0F}}})},
        {"vgg_small", in_any_numbers<nets::vgg_small>(cifar)},
        {"vgg16_cifar", in_floats<nets::vgg16_cifar<>>({"0 to 255, 32x32 RGB"})},
        {"mobilenet_v1_small", in_any_numbers<nets::mobilenet_v1_small<>>(cifar)},
        {"mobilenet_v1_small_plain_depthwise",
         in_floats<nets::mobilenet_v1_small<nets::plain_depthwise_blocks>>(cifar)},
        {"mobilenet_v1_small_friendly",
         in_any_numbers<nets::mobilenet_v1_small<nets::quantization_friendly_blocks>>(cifar)},
        {"repvgg_s0", with_custom_l2(in_floats<repvgg_s1>({cifar.words + "; S1 with the custom L2", cifar.how}))},
        {"repvgg_s1", in_floats<repvgg_s1>(cifar)},
        {"repvgg_s2", in_floats<nets::repvgg_small<nets::repvgg_blocks_s2>>(cifar)},
        {"repvgg_s3", in_floats<nets::repvgg_small<nets::repvgg_blocks_s3>>(cifar)},
        {"repvgg_s4", in_floats<nets::repvgg_small<nets::repvgg_blocks_s4>>(cifar)},
    };
    return known;
}

} // namespace train
