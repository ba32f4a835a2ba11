// SPDX-License-Identifier: Apache-2.0
// Writes the parameters of a network to detector.bin, and prints what it computes.
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/execute/model.hpp>

#include "embedding_network.hpp"
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>
#include <vector>

int main() {
    std::mt19937 random(5);
    const auto anything = [&random] { return static_cast<float>(random() % 2000) / 1000.0F - 1.0F; };
    auto parameters = statiq::zero_parameters<network>();
    for (auto& layer : parameters.layers)
        for (auto* values : {&layer.weight, &layer.bias}) std::generate(values->begin(), values->end(), anything);
    std::vector<std::vector<float>> samples(4, std::vector<float>(6 * 6 * 3));
    for (auto& sample : samples) std::generate(sample.begin(), sample.end(), anything);

    const auto deployed = statiq::deploy(parameters);
    auto model =
        statiq::quantize<statiq::quantized<8, statiq::symmetric, statiq::per_channel>,
                         statiq::quantized<8, statiq::asymmetric>>(deployed, statiq::calibrate(deployed, samples));
    const auto bytes = model.bytes();
    std::ofstream("detector.bin", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    for (const int score : model.network()(input())) std::printf("%d ", score);
}
