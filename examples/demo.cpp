// SPDX-License-Identifier: Apache-2.0
//
// One definition, run as float, simulated and integer: loads trained weights, folds batch norm, calibrates, quantizes
// in three schemes, and prints what each costs in accuracy and gains in time. Without arguments it uses the digits
// network beside it.
#include <CLI/CLI.hpp>

#include "demo/evaluation.hpp"
#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>

namespace {

using demo::options;

const std::map<std::string, int (*)(const options&)>& networks() {
    static const std::map<std::string, int (*)(const options&)> known{
        {"digits", demo::digits},
        {"mobilenet_v1_0.25_224", demo::mobilenet_v1_025},
        {"mobilenet_v1_0.75_224", demo::mobilenet_v1_075},
        {"mobileone_s0_224", demo::mobileone_s0},
        {"repvgg_small", demo::repvgg_small},
    };
    return known;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Evaluates a network as float, simulated and integer, layer by layer."};
    options chosen = demo::embedded_default();
    std::string network = "digits";
    std::vector<std::string> names;
    for (const auto& [name, run] : networks()) names.push_back(name);
    app.add_option("--network", network, "Which network the weights are of")->check(CLI::IsMember(names));
    app.add_option("--weights", chosen.weights, "Float weights, safetensors (names and layouts: docs/weights.md)");
    app.add_option("--images", chosen.images, "Test images, .npy, uint8 [count, height, width, channels]");
    app.add_option("--labels", chosen.labels, "Their labels, .npy, int32 [count]");
    app.add_option("--calibration", chosen.calibration, "Calibration images, .npy like --images");
    app.add_option("--calibration-count", chosen.calibration_count, "Calibration images used")->capture_default_str();
    app.add_flag("--predictions", chosen.print_predictions, "Print the float network's class of every image");
    app.add_flag("--train", chosen.train, "Train the digits network from scratch first, instead of reading weights");
    CLI11_PARSE(app, argc, argv);
    try {
        if (chosen.train && network != "digits")
            throw std::invalid_argument("--train: the demo trains digits alone; examples/train trains others");
        return networks().at(network)(chosen);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "demo: %s\n", error.what());
        return 1;
    }
}
