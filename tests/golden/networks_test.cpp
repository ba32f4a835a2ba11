// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/mlperf_tiny.hpp>
#include <statiq/networks/mobilenet_v2.hpp>
#include <statiq/networks/visual_wake_words.hpp>

#include "golden_model.hpp"

namespace sq = statiq;
using namespace sq; // the definitions below are written in statiq's words

namespace {

using int8 = quantized<8, asymmetric_signed>;
using uint8 = quantized<8, asymmetric>;
using weight8 = quantized<8, symmetric, per_channel>;
using dense_weight8 = quantized<8, symmetric, per_tensor>;

template <class Net>
using tflite_numbers = numbers_chosen<deployed<Net>, weight8, int8, dense_weight8>;

// Networks that statiq does not define, as their user would write them.

/// MobileNetV1 0.25 on grey images; its first convolution is depthwise with multiplier 8.
template <int Index, int OutChannels, int Stride>
constexpr auto separable() {
    return named<networks::detail::depthwise_name<Index>>(depthwise(stride<Stride>) | relu6) |
           named<networks::detail::pointwise_name<Index>>(pointwise<OutChannels> | relu6);
}
constexpr auto person_detect_body =
    input<96, 96, 1>                                                                                   //
    | named<"conv0">(depthwise_multiplied<8>(stride<2>) | relu6)                                       //
    | separable<1, 16, 1>() | separable<2, 32, 2>() | separable<3, 32, 1>() | separable<4, 64, 2>()    //
    | separable<5, 64, 1>() | separable<6, 128, 2>() | separable<7, 128, 1>() | separable<8, 128, 1>() //
    | separable<9, 128, 1>() | separable<10, 128, 1>() | separable<11, 128, 1>()                       //
    | separable<12, 256, 2>() | separable<13, 256, 1>()                                                //
    | average_pool(kernel<3>, stride<2>) | named<"logits">(pointwise<2>) | flatten | softmax;
struct person_detect final : network<decltype(person_detect_body)> {};

constexpr auto micro_speech_body = input<1, 1, 1960> | reshape<49, 40, 1> //
                                   | named<"conv0">(depthwise_multiplied<8>(kernel<10, 8>, stride<2>) | relu) |
                                   flatten //
                                   | named<"fc">(dense<4>) | softmax;
struct micro_speech final : network<decltype(micro_speech_body)> {};

/// Streaming wake words: convolutions along time only.
template <int Rows, int OutChannels>
constexpr auto over_time() {
    return depthwise(kernel<Rows, 1>, valid) | pointwise<OutChannels> | relu;
}
constexpr auto wake_word_body = input<30, 1, 40> | over_time<3, 128>() | over_time<5, 128>() | over_time<10, 128>() //
                                | over_time<15, 32>() | flatten | dense<3> | softmax;
struct streaming_wake_word final : network<decltype(wake_word_body)> {};

/// MobileNetV2 as TensorFlow exports it: bytes converted on the way in and out, the last layer a convolution.
constexpr auto mobilenet_v2_tf_body = with<weight8, uint8>(input<224, 224, 3>) | with<weight8, int8>(convert) //
                                      | networks::detail::mobilenet_v2_features<100>() | global_average_pool  //
                                      | named<"logits">(pointwise<1001>) | flatten | softmax |
                                      with<weight8, uint8>(convert);
struct mobilenet_v2_tf final : network<decltype(mobilenet_v2_tf_body)> {};

/// MobileNetV2 as TinyNeuralNetwork exports it from PyTorch: channel first on the way in, padding as a layer.
template <label Name, int InChannels, int OutChannels, int Expansion, int Stride>
constexpr auto padded_residual() {
    constexpr auto tail = pad<1, 1, 1, 1> | depthwise(stride<Stride>, valid) | relu6 | pointwise<OutChannels>;
    constexpr auto body = [tail] {
        if constexpr (Expansion == 1)
            return tail;
        else
            return pointwise<InChannels * Expansion> | relu6 | tail;
    }();
    if constexpr (Stride == 1 && InChannels == OutChannels)
        return named<Name>(residual(body));
    else
        return named<Name>(body);
}
constexpr auto mobilenet_v2_torch_body =
    input<3, 224, 224> | transpose<1, 2, 0> | pad<1, 1, 1, 1>                                     //
    | conv<32>(kernel<3>, stride<2>, valid) | relu6                                               //
    | padded_residual<"block1", 32, 16, 1, 1>()                                                   //
    | padded_residual<"block2", 16, 24, 6, 2>() | padded_residual<"block3", 24, 24, 6, 1>()       //
    | padded_residual<"block4", 24, 32, 6, 2>() | padded_residual<"block5", 32, 32, 6, 1>()       //
    | padded_residual<"block6", 32, 32, 6, 1>() | padded_residual<"block7", 32, 64, 6, 2>()       //
    | padded_residual<"block8", 64, 64, 6, 1>() | padded_residual<"block9", 64, 64, 6, 1>()       //
    | padded_residual<"block10", 64, 64, 6, 1>() | padded_residual<"block11", 64, 96, 6, 1>()     //
    | padded_residual<"block12", 96, 96, 6, 1>() | padded_residual<"block13", 96, 96, 6, 1>()     //
    | padded_residual<"block14", 96, 160, 6, 2>() | padded_residual<"block15", 160, 160, 6, 1>()  //
    | padded_residual<"block16", 160, 160, 6, 1>() | padded_residual<"block17", 160, 320, 6, 1>() //
    | pointwise<1280> | relu6 | global_average_pool | flatten | dense<1000>;
struct mobilenet_v2_torch final : network<decltype(mobilenet_v2_torch_body)> {};

} // namespace

TEST_CASE("golden: ResNet-8") { golden_test::compare_model<tflite_numbers<networks::resnet8<>>>("resnet8_cifar10"); }
TEST_CASE("golden: ResNet-8, wider") {
    golden_test::compare_model<tflite_numbers<networks::resnet8<40>>>("resnet8_large_cifar10");
}
TEST_CASE("golden: DS-CNN") { golden_test::compare_model<tflite_numbers<networks::ds_cnn>>("kws_ref_model"); }
TEST_CASE("golden: autoencoder") { golden_test::compare_model<tflite_numbers<networks::autoencoder>>("ad01_int8"); }
TEST_CASE("golden: visual wake words") {
    golden_test::compare_model<tflite_numbers<networks::visual_wake_words>>("vww_96_int8");
}
TEST_CASE("golden: person detection") { golden_test::compare_model<tflite_numbers<person_detect>>("person_detect"); }
TEST_CASE("golden: micro speech") {
    golden_test::compare_model<tflite_numbers<micro_speech>>("micro_speech_quantized");
}
TEST_CASE("golden: streaming wake word") {
    golden_test::compare_model<tflite_numbers<streaming_wake_word>>("str_ww_ref_model");
}
TEST_CASE("golden: MobileNetV2 from TensorFlow") {
    golden_test::compare_model<tflite_numbers<mobilenet_v2_tf>>("mobilenet_v2_tf2");
}
TEST_CASE("golden: MobileNetV2 from PyTorch") {
    golden_test::compare_model<tflite_numbers<mobilenet_v2_torch>>("mobilenet_v2_tinynn");
}
