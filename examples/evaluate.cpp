// SPDX-License-Identifier: Apache-2.0
//
// What quantization costs a network: accuracy by scheme, bits, observer and repair, and the error of every layer, taken
// apart. Formats are data here, so one program holds all settings; it runs the simulated execution, which equals the
// integer one (the demo runs both).
#include <CLI/CLI.hpp>

#include "evaluate/measure.hpp"
#include "evaluate/report.hpp"
#include "support/names.hpp"
#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>

namespace {

using evaluate::options;
using example::explained;
using example::first_of;

/// Everything that can be named, in words.
std::string footer() {
    std::vector<std::pair<std::string, std::string>> networks;
    for (const auto& [name, entry] : evaluate::networks()) networks.emplace_back(name, entry.pixels);
    return "\n" + explained("Networks, and how their pixels become reals", networks) +
           explained("Schemes (activations: with a zero point, one scale a tensor)", evaluate::scheme_names()) +
           explained("Observers", evaluate::observer_names()) + explained("Repairs", evaluate::repair_names());
}

/// The digits network comes with the examples.
void use_embedded_data(options& chosen) {
    const std::filesystem::path data = STATIQ_EXAMPLE_DATA_DIR;
    const auto unless_given = [](std::filesystem::path& path, const std::filesystem::path& own) {
        if (path.empty()) path = own;
    };
    const bool own_images = chosen.images.empty();
    unless_given(chosen.weights, data / "digits.safetensors");
    unless_given(chosen.images, data / "digits_test_images.npy");
    if (own_images) unless_given(chosen.labels, data / "digits_test_labels.npy");
    unless_given(chosen.calibration, data / "digits_calibration_images.npy");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Evaluates a network in several numbers: accuracy, agreement with float, error layer by layer."};
    app.footer(footer());
    app.get_formatter()->column_width(34);
    options chosen;
    chosen.threads = std::max(1U, std::thread::hardware_concurrency());
    app.add_option("--network", chosen.network, "Which network the weights are of")
        ->check(CLI::IsMember(first_of(evaluate::networks())))
        ->capture_default_str();
    app.add_option("--weights", chosen.weights, "Float weights, safetensors (names and layouts: docs/weights.md)")
        ->check(CLI::ExistingFile);
    app.add_option("--images", chosen.images, "Test images, .npy or idx, uint8 [count, height, width, channels]")
        ->check(CLI::ExistingFile);
    app.add_option("--labels", chosen.labels,
                   "Their labels, .npy or idx, int32 or uint8 [count]; without, agreement alone is given")
        ->check(CLI::ExistingFile);
    app.add_option("--calibration", chosen.calibration, "Calibration images, like --images")->check(CLI::ExistingFile);
    app.add_option("--scheme", chosen.schemes, "Kinds of weights, several in turn")
        ->check(CLI::IsMember(first_of(evaluate::scheme_names())))
        ->take_all();
    app.add_option("--bits", chosen.bits, "Weight and activation bits, 2 to 16, 32: float; several in turn [8,8]")
        ->delimiter(' ')
        ->take_all();
    app.add_option("--observer", chosen.observer, "How activations' ranges are found")
        ->check(CLI::IsMember(first_of(evaluate::observer_names())))
        ->capture_default_str();
    app.add_option("--layer-observer", chosen.layer_observers, "A layer's own observer, as in fc=min_max")->take_all();
    app.add_option("--repair", chosen.repairs, "What is done to the network before; several together")
        ->check(CLI::IsMember(first_of(evaluate::repair_names())))
        ->take_all();
    app.add_option("--override", chosen.overrides, "A layer's own bits, as in dw1=8 or fc=8,16")->take_all();
    app.add_option("--budget-bits", chosen.budget_bits,
                   "Mixed precision: widths by layer, this many bits a weight on average; several in turn")
        ->check(CLI::Range(2.0, 8.0))
        ->take_all();
    app.add_option("--budget-bytes", chosen.budget_bytes, "The same, in bytes of all weights")
        ->check(CLI::PositiveNumber)
        ->take_all();
    app.add_option("--count", chosen.images_count, "Test images used, the first ones [all]");
    app.add_option("--calibration-count", chosen.calibration_count, "Calibration images used")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--batch", chosen.batch, "Calibration images that count as one (moving_average)")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--layer-images", chosen.layer_images, "Test images for what is measured layer by layer")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--threads", chosen.threads, "Threads")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--report", chosen.report, "Writes everything measured as JSON (tools/plot_report.py draws it)");
    app.add_flag("--layers", chosen.print_layers, "Prints every layer's error, and a verdict on it");
    app.add_flag("--quiet", chosen.quiet, "Shows no progress");
    CLI11_PARSE(app, argc, argv);
    try {
        if (chosen.network == "digits") use_embedded_data(chosen);
        for (const auto& [name, path] : {std::pair{"--weights", chosen.weights},
                                         {"--images", chosen.images},
                                         {"--calibration", chosen.calibration}})
            if (path.empty()) throw std::invalid_argument(std::string(name) + ": needed for " + chosen.network);
        if (chosen.schemes.empty()) chosen.schemes = {"asymmetric_tensor", "symmetric_channel", "asymmetric_channel"};
        if (chosen.bits.empty()) chosen.bits = {"8,8"};
        const evaluate::evaluation result = evaluate::run(chosen);
        std::printf("%s, %zu images\n%s", chosen.network.c_str(), result.images, evaluate::table_of(result).c_str());
        if (chosen.print_layers) std::fputs(evaluate::layer_tables_of(result).c_str(), stdout);
        if (!chosen.report.empty()) statiq::io::write_file(chosen.report, evaluate::json_of(result, chosen) + "\n");
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "evaluate: %s\n", error.what());
        return 1;
    }
}
