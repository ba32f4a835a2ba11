// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <statiq/io/idx.hpp>
#include <statiq/train/fit.hpp>

#include "../support/progress_line.hpp"
#include "deployment.hpp"
#include "report.hpp"
#include "rules.hpp"
#include "trainee.hpp"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <utility>

namespace train {

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

double percent(std::size_t part, std::size_t whole) {
    return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

/// Images right, by the moving statistics.
std::size_t count_right(trainee& network, const test_set& test, std::size_t batch) {
    const std::size_t size = test.images.image_extents().size();
    const std::size_t classes = network.nodes().back().out.size();
    std::vector<float> samples(batch * size);
    std::size_t right = 0;
    for (std::size_t first = 0; first < test.count; first += batch) {
        const std::size_t count = std::min(batch, test.count - first);
        for (std::size_t i = 0; i < count; ++i) test.images.read(first + i, std::span(samples).subspan(i * size, size));
        const auto outputs = network.evaluate(std::span<const float>(samples).first(count * size));
        for (std::size_t i = 0; i < count; ++i) {
            const auto scores = outputs.subspan(i * classes, classes);
            right += std::ranges::max_element(scores) - scores.begin() == test.labels[first + i];
        }
    }
    return right;
}

void check_labels(const std::filesystem::path& file, std::span<const std::int32_t> labels, std::size_t classes) {
    for (const std::int32_t label : labels)
        if (label < 0 || static_cast<std::size_t>(label) >= classes)
            throw sq::io::format_error(file.string(), "", std::to_string(classes) + " classes counted from 0",
                                       "the label " + std::to_string(label));
}

/// What an epoch's steps saw, together.
struct epoch_sums {
    double loss = 0;
    double penalty = 0;
    std::size_t right = 0;
    std::size_t samples = 0;
    std::size_t steps = 0;

    void add(const sq::fit_step& step) {
        loss += step.loss;
        penalty += step.penalty;
        right += step.right;
        samples += step.samples;
        ++steps;
    }
    [[nodiscard]] double mean(double sum) const { return sum / static_cast<double>(steps); }
};

std::vector<epoch_line> run_epochs(const options& chosen, trainee& network, sq::fitting<trainee>& fit,
                                   std::size_t steps, const test_set& test, const example::progress_line& line) {
    const auto settings = settings_of(chosen);
    std::vector<epoch_line> lines;
    if (fit.steps() / steps < chosen.epochs)
        std::printf("epoch      loss   penalty   train %%    test %%    seconds\n");
    for (std::size_t epoch = fit.steps() / steps; epoch < chosen.epochs; ++epoch) {
        const auto start = clock_type::now();
        epoch_sums seen;
        for (std::size_t step = fit.steps() % steps; step < steps; ++step) {
            seen.add(fit.step());
            char text[80];
            std::snprintf(text, sizeof text, "epoch %zu/%zu  loss %.4f  accuracy %.2f%%", epoch + 1, chosen.epochs,
                          seen.mean(seen.loss), percent(seen.right, seen.samples));
            line.report(text, step + 1, steps, start);
        }
        const double spent = seconds_since(start);
        fit.exchange_average();
        const std::size_t right = count_right(network, test, chosen.batch);
        fit.exchange_average();
        const epoch_line& last =
            lines.emplace_back(epoch_line{seen.mean(seen.loss), seen.mean(seen.penalty),
                                          percent(seen.right, seen.samples), percent(right, test.count), spent});
        std::printf("%5zu  %8.4f  %8.4f  %8.2f  %8.2f  %9.1f\n", epoch + 1, last.loss, last.penalty, last.train_percent,
                    last.test_percent, last.seconds);
        std::fflush(stdout);
        if (!chosen.checkpoint.empty()) fit.save(chosen.checkpoint, settings);
    }
    return lines;
}

} // namespace

int run(const options& chosen) {
    const network_entry& entry = networks().at(chosen.network);
    const example::progress_line line(chosen.quiet);
    sq::thread_pool threads(chosen.threads);
    sq::io::stored_array data = sq::io::read_array(chosen.data);
    const std::size_t steps = data.shape.empty() ? 0 : static_cast<std::size_t>(data.shape[0]) / chosen.batch;
    const beginning with{.from = chosen.from,
                         .seed = chosen.seed,
                         .batch = chosen.batch,
                         .threads = &threads,
                         .quantized = make_fake_quantization(chosen, steps)};
    if (with.quantized && entry.make_quantized == nullptr)
        throw std::invalid_argument("--fake-quantize: " + chosen.network + " is compiled for float training alone");
    const auto network = with.quantized ? entry.make_quantized(with) : entry.make(with);
    const sq::extents image = network->nodes().front().out;
    const sq::io::image_set images(std::move(data), image, entry.how);
    const auto labels = sq::io::read_labels(chosen.labels, images.size());
    const sq::io::image_set test_images = sq::io::read_images(chosen.test_data, image, entry.how);
    const auto test_labels = sq::io::read_labels(chosen.test_labels, test_images.size());
    const test_set test{test_images, test_labels,
                        chosen.test_count == 0 ? test_images.size() : std::min(chosen.test_count, test_images.size())};
    const std::size_t classes = network->nodes().back().out.size();
    check_labels(chosen.labels, labels, classes);
    check_labels(chosen.test_labels, test_labels, classes);

    sq::batches source(images, labels, chosen.batch, make_augmentation(chosen.augment), chosen.seed);
    sq::fitting<trainee> fit(network->nodes(), *network, source, make_rules(chosen, network->nodes(), steps));
    if (!chosen.resume.empty()) fit.resume(chosen.resume, settings_of(chosen));

    training_report report;
    const auto start = clock_type::now();
    try {
        report.epochs = run_epochs(chosen, *network, fit, steps, test, line);
    } catch (const sq::training_diverged&) {
        const bool kept = !chosen.checkpoint.empty() && std::filesystem::exists(chosen.checkpoint);
        std::fprintf(stderr, "train: stopped%s%s\n", kept ? "; the last good checkpoint is " : "",
                     kept ? chosen.checkpoint.string().c_str() : "");
        throw;
    }
    std::printf("%s: %zu epochs of %zu images in %.1f s\n", chosen.network.c_str(), chosen.epochs, images.size(),
                seconds_since(start));
    fit.exchange_average();
    if (!chosen.weights.empty())
        sq::save_checkpoint(chosen.weights, sq::network_entries(network->nodes(), *network), settings_of(chosen));
    report.deployments = deploy_and_compare(*network, *entry.run_integers, chosen, images, test, line);
    report.branches = network->branch_scales();
    if (!chosen.report.empty()) write_report(report, chosen);
    return std::ranges::all_of(report.deployments, [](const deployment_line& made) { return made.far == 0; }) ? 0 : 1;
}

} // namespace train
