// SPDX-License-Identifier: Apache-2.0
/// Training steps on request, for tools/compare_training.py: a line with a number on standard input takes so many steps
/// of a network's training and answers with the seconds each took, on the wall's clock and on the processors'.
///
///     statiq_bench_training width threads
///
/// MobileNetV1 of that width in percent on batches of 64 images of 32 x 32: forward, cross-entropy, backward, and
/// stochastic gradient descent with momentum.

#include <statiq/networks/mobilenet_v1.hpp>
#include <statiq/threads/thread_pool.hpp>
#include <statiq/train/losses.hpp>
#include <statiq/train/optimizer.hpp>
#include <statiq/train/training_network.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t batch = 64;
constexpr std::size_t classes = 10;

template <class Network>
int serve(std::size_t threads) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    auto parameters = statiq::zero_parameters<Network>();
    for (std::size_t i = 0; i < parameters.layers.size(); ++i)
        for (float& w : parameters[i].weight)
            w = normal(random) * std::sqrt(2.0F / static_cast<float>(Network::nodes[i].convolution().reduction()));
    statiq::thread_pool pool(threads);
    statiq::training_network<Network> network(parameters, batch, pool);
    const auto trainables = network.trainables();
    statiq::optimizer descent(statiq::sgd{}, trainables);
    std::vector<float> images(batch * statiq::input_extents<Network>.size());
    for (float& value : images) value = normal(random);
    std::vector<float> gradient(batch * classes);
    const statiq::softmax_cross_entropy loss;

    const auto step = [&] {
        const auto outputs = network.forward(images);
        for (std::size_t s = 0; s < batch; ++s)
            loss(outputs.subspan(s * classes, classes), static_cast<std::int32_t>(s % classes), 1.0 / batch,
                 std::span<float>(gradient).subspan(s * classes, classes));
        network.backward(gradient);
        descent.step(trainables, 0.01);
    };
    step();
    for (int count = 0; std::cin >> count;) {
        const auto begin = std::chrono::steady_clock::now();
        const std::clock_t processors = std::clock();
        for (int i = 0; i < count; ++i) step();
        const std::clock_t used = std::clock() - processors;
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        std::cout << taken.count() / count << ' ' << static_cast<double>(used) / CLOCKS_PER_SEC / count << std::endl;
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    using statiq::networks::mobilenet_v1;
    const std::string_view width = argc == 3 ? argv[1] : "";
    const std::size_t threads = argc == 3 ? std::stoul(argv[2]) : 1;
    if (width == "25") return serve<mobilenet_v1<25, 32, classes>>(threads);
    if (width == "50") return serve<mobilenet_v1<50, 32, classes>>(threads);
    if (width == "100") return serve<mobilenet_v1<100, 32, classes>>(threads);
    std::cerr << "usage: statiq_bench_training 25|50|100 threads\n";
    return 2;
}
