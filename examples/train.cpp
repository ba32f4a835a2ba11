// SPDX-License-Identifier: Apache-2.0
//
// Trains a network, deploys it to 8-bit integers, and compares the two. The digits and their data come with the
// examples; the other networks take 32 x 32 colour images, as of CIFAR-10.
#include <CLI/CLI.hpp>

#include "support/names.hpp"
#include "support/settings.hpp"
#include "train/rules.hpp"
#include "train/session.hpp"
#include <algorithm>
#include <cstdio>
#include <exception>

namespace {

using train::options;

const std::vector<std::pair<std::string, std::string>>& schemes() {
    static const std::vector<std::pair<std::string, std::string>> names = [] {
        auto all = example::scheme_names();
        std::erase_if(all, [](const auto& one) { return one.first == "symmetric_group32"; });
        return all;
    }();
    return names;
}

std::string footer() {
    std::vector<std::pair<std::string, std::string>> networks;
    for (const auto& [name, entry] : train::networks()) networks.emplace_back(name, entry.pixels);
    return "\n" + example::explained("Networks, and how their pixels become reals", networks) +
           example::explained("Optimizers", train::optimizer_names()) +
           example::explained("Schedules of the rate", train::schedule_names()) +
           example::explained("Augmentations", train::augmentation_names()) +
           example::explained("Penalties of RepVGG's branches", train::custom_l2_names()) +
           example::explained("Folding of batch norm", train::folding_names()) +
           example::explained("Estimators of gradients", train::estimator_names()) +
           example::explained("Roundings", train::rounding_names()) +
           example::explained("Schemes (activations: with a zero point, one scale a tensor)", schemes());
}

/// The digits come with the examples.
void use_embedded_data(options& chosen) {
    const std::filesystem::path data = STATIQ_EXAMPLE_DATA_DIR;
    if (chosen.data.empty() && chosen.labels.empty()) {
        chosen.data = data / "digits_train_images.npy";
        chosen.labels = data / "digits_train_labels.npy";
    }
    if (chosen.test_data.empty() && chosen.test_labels.empty()) {
        chosen.test_data = data / "digits_test_images.npy";
        chosen.test_labels = data / "digits_test_labels.npy";
    }
}

void add_options(CLI::App& app, options& chosen) {
    const auto names = [](const auto& pairs) { return CLI::IsMember(example::first_of(pairs)); };
    app.add_option("--network", chosen.network, "What to train")
        ->check(names(train::networks()))
        ->capture_default_str();
    app.add_option("--data", chosen.data, "Images to learn from, .npy or idx, uint8 [count, height, width, channels]")
        ->check(CLI::ExistingFile);
    app.add_option("--labels", chosen.labels, "Their classes, .npy or idx, int32 or uint8 [count]")
        ->check(CLI::ExistingFile);
    app.add_option("--test-data", chosen.test_data, "Images to measure on, like --data")->check(CLI::ExistingFile);
    app.add_option("--test-labels", chosen.test_labels, "Their classes")->check(CLI::ExistingFile);
    app.add_option("--test-count", chosen.test_count, "Test images used, the first ones [all]");
    app.add_option("--epochs", chosen.epochs, "Times that every image is seen; 0: only deploys")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--batch", chosen.batch, "Images a step")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--augment", chosen.augment, "How images vary")
        ->check(names(train::augmentation_names()))
        ->capture_default_str();
    app.add_option("--seed", chosen.seed, "Of the first weights, the order of images and their variation")
        ->capture_default_str();
    app.add_option("--threads", chosen.threads, "Threads")->check(CLI::PositiveNumber)->capture_default_str();

    app.add_option("--optimizer", chosen.optimizer, "How weights move")
        ->check(names(train::optimizer_names()))
        ->capture_default_str();
    app.add_option("--rate", chosen.rate, "Learning rate [adam 0.003, others 0.05]")->check(CLI::PositiveNumber);
    app.add_option("--momentum", chosen.momentum, "Of sgd and nesterov")
        ->check(CLI::Range(0.0, 0.9999))
        ->capture_default_str();
    app.add_option("--schedule", chosen.schedule, "How the rate goes on")
        ->check(names(train::schedule_names()))
        ->capture_default_str();
    app.add_option("--step-epochs", chosen.step_epochs, "Epochs between the steps of schedule step")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--step-factor", chosen.step_factor, "What each of them multiplies by")
        ->check(CLI::Range(1e-6, 1.0))
        ->capture_default_str();
    app.add_option("--warm-up", chosen.warm_up, "Epochs in which the rate grows to its first value")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--smoothing", chosen.smoothing, "Share of every label that is spread over all classes")
        ->check(CLI::Range(0.0, 0.9999))
        ->capture_default_str();
    app.add_option("--decay", chosen.decay, "Weight decay: an L2 penalty on all weights")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--no-decay", chosen.no_decay, "Layers without weight decay, separated by commas");
    app.add_option("--l2-depthwise", chosen.l2_depthwise, "An L2 penalty on depthwise weights alone, beside --decay")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--custom-l2", chosen.custom_l2,
                   "What --decay is to RepVGG's branches [repvgg_s0: divided, else none]")
        ->check(names(train::custom_l2_names()));
    app.add_option("--average", chosen.average,
                   "Measures and deploys a moving average of the weights, of this momentum")
        ->check(CLI::Range(0.0, 0.999999));

    app.add_option("--from", chosen.from, "Weights to begin with, safetensors; a checkpoint is such a file")
        ->check(CLI::ExistingFile);
    app.add_option("--resume", chosen.resume, "A checkpoint of the same training to continue, to the same bits")
        ->check(CLI::ExistingFile)
        ->excludes("--from");
    app.add_option("--checkpoint", chosen.checkpoint, "Written after every epoch");
    app.add_option("--weights", chosen.weights, "Written at the end: the weights alone");

    app.add_option("--fake-quantize", chosen.fake_quantize,
                   "Trains in numbers of W,A bits: 8,8 or 4,8 or 8,4 [float training]");
    app.add_option("--folding", chosen.folding, "How batch norm is folded in quantized training")
        ->check(names(train::folding_names()))
        ->capture_default_str();
    app.add_option("--freeze", chosen.freeze, "Epochs after which --folding corrected becomes frozen [never]")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--estimator", chosen.estimator, "How gradients pass roundings")
        ->check(names(train::estimator_names()))
        ->capture_default_str();
    app.add_option("--rounding", chosen.rounding, "How reals become integers in quantized training")
        ->check(names(train::rounding_names()))
        ->capture_default_str();
    app.add_option("--range-momentum", chosen.range_momentum, "Of activations' learned ranges")
        ->check(CLI::Range(0.0, 0.9999))
        ->capture_default_str();
    app.add_option("--range-delay", chosen.range_delay, "Epochs in which activations stay reals")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--scheme", chosen.scheme, "Kind of deployed weights")
        ->check(names(schemes()))
        ->capture_default_str();
    app.add_option(
           "--deploy", chosen.deploy,
           "Numbers to deploy in, SCHEME:W,A, as often as wanted [--scheme, and the bits of --fake-quantize or 8,8]")
        ->check([](const std::string& text) {
            const std::string scheme = text.substr(0, text.find(':'));
            const auto known = example::first_of(schemes());
            const bool right = text.find(':') != text.npos && std::ranges::find(known, scheme) != known.end();
            return right ? "" : "'" + text + "': expected SCHEME:W,A, as asymmetric_tensor:8,8, SCHEME as for --scheme";
        });
    app.add_option("--report", chosen.report, "Writes what is printed as JSON, too");
    app.add_option("--calibration-count", chosen.calibration_count,
                   "Training images that activations' ranges come from")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_flag("--quiet", chosen.quiet, "Shows no progress; on what is no terminal there is none anyway");
}

/// What depends on other options.
void complete(options& chosen) {
    if (chosen.network == "digits") use_embedded_data(chosen);
    for (const auto& [name, path] : {std::pair{"--data", chosen.data},
                                     {"--labels", chosen.labels},
                                     {"--test-data", chosen.test_data},
                                     {"--test-labels", chosen.test_labels}})
        if (path.empty()) throw std::invalid_argument(std::string(name) + ": needed for " + chosen.network);
    if (chosen.rate == 0) chosen.rate = chosen.optimizer == "adam" ? 0.003 : 0.05;
    if (chosen.deploy.empty())
        chosen.deploy = {chosen.scheme + ":" + (chosen.fake_quantize.empty() ? "8,8" : chosen.fake_quantize)};
    if (chosen.custom_l2.empty())
        chosen.custom_l2 = train::networks().at(chosen.network).custom_l2 ? "divided" : "none";
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Trains a network, deploys it to integers, and prints float, simulated and integer accuracy."};
    app.footer(footer());
    app.get_formatter()->column_width(34);
    options chosen;
    chosen.threads = statiq::detail::usable_processors();
    add_options(app, chosen);
    CLI11_PARSE(app, argc, argv);
    try {
        complete(chosen);
        return train::run(chosen);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "train: %s\n", error.what());
        return 1;
    }
}
