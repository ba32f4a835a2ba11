// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/statiq.hpp>

#include "evaluation.hpp"
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace demo {

namespace sq = statiq;

inline int best_class(std::span<const float> scores) {
    return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

/// The best class of every image.
template <class Run>
std::vector<int> predict(const sq::io::image_set& images, Run&& run) {
    std::vector<int> classes;
    for (std::size_t i = 0; i < images.size(); ++i) classes.push_back(best_class(run(images[i])));
    return classes;
}
/// Share of images whose best class is the label, in percent.
inline double accuracy(const std::vector<int>& classes, const std::vector<std::int32_t>& labels) {
    std::size_t right = 0;
    for (std::size_t i = 0; i < classes.size(); ++i)
        if (classes[i] == labels[i]) ++right;
    return 100.0 * static_cast<double>(right) / static_cast<double>(classes.size());
}
inline std::size_t disagreements(const std::vector<int>& a, const std::vector<int>& b) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i]) ++count;
    return count;
}

/// Median time of one call, in microseconds.
template <class Call>
double median_time(Call&& call) {
    using clock = std::chrono::steady_clock;
    std::vector<double> times;
    const auto start = clock::now();
    while (times.size() < 5 || (times.size() < 2000 && clock::now() - start < std::chrono::milliseconds(300))) {
        const auto before = clock::now();
        call();
        times.push_back(std::chrono::duration<double, std::micro>(clock::now() - before).count());
    }
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    return times[times.size() / 2];
}

/// The float side of an evaluation: what every scheme is compared with.
template <class Net>
struct evaluation {
    using deployed = sq::deployed<Net>;
    using activation = sq::quantized<8, sq::asymmetric>;

    sq::parameters<deployed> parameters;
    sq::io::image_set images;
    sq::io::image_set calibration_images;
    std::vector<std::int32_t> labels;
    sq::node_ranges<deployed> ranges{};
    std::vector<int> float_classes{};
    double float_time = 0;
    sq::table results{
        {"scheme", "float", "simulated", "integer", "int = sim", "SQNR dB", "float us", "int8 us", "ratio"}};

    template <class Weight>
    void evaluate(const char* name) {
        using numbers = sq::numbers_chosen<deployed, Weight, activation>;
        sq::simulated_network<numbers> simulated(sq::quantize_parameters<numbers>(parameters, ranges));
        auto model = sq::quantize<Weight, activation>(parameters, ranges);

        const auto simulated_classes = predict(images, simulated);
        const auto integer_classes = predict(images, model);
        const std::vector<float> sample(images[0].begin(), images[0].end());
        const double time = median_time([&] { model(sample); });

        sq::float_network<deployed> reference(parameters);
        sq::observed watched(model);
        const sq::first_samples few(images, 20);
        const auto layers = sq::compare(reference, watched, few);
        std::printf("\n%s: each layer's output against float, over %zu images\n", name, few.size());
        sq::print(layers);
        std::printf("weights %s bytes, arena %s bytes\n",
                    sq::grouped(static_cast<long long>(sq::weight_bytes<numbers>)).c_str(),
                    sq::grouped(static_cast<long long>(sq::arena_bytes<numbers>)).c_str());
        results.add({name, sq::fixed(accuracy(float_classes, labels), 2),
                     sq::fixed(accuracy(simulated_classes, labels), 2), sq::fixed(accuracy(integer_classes, labels), 2),
                     std::to_string(images.size() - disagreements(simulated_classes, integer_classes)) + "/" +
                         std::to_string(images.size()),
                     sq::decibels(layers.back().error.sqnr()), sq::fixed(float_time, 1), sq::fixed(time, 1),
                     sq::fixed(float_time / time, 2)});
    }
};

/// Folds, calibrates, quantizes in the three schemes of P2 table 3, and prints.
template <class Net>
int evaluate(const char* name, const sq::parameters<Net>& trained, const options& chosen,
             const sq::io::preprocessing& how) {
    using deployed = sq::deployed<Net>;
    const sq::extents shape = sq::input_extents<Net>;
    if (chosen.calibration_count == 0) throw std::invalid_argument("--calibration-count: expected at least 1, found 0");
    sq::io::image_set images = sq::io::read_images(chosen.images, shape, how);
    auto labels = sq::io::read_labels(chosen.labels, images.size());
    evaluation<Net> run{.parameters = sq::deploy(trained),
                        .images = std::move(images),
                        .calibration_images = sq::io::read_images(chosen.calibration, shape, how),
                        .labels = std::move(labels)};

    std::printf("%s: %s parameters, %s multiply-accumulates\n", name, sq::grouped(sq::parameter_count<Net>).c_str(),
                sq::grouped(sq::multiply_accumulates<Net>).c_str());
    std::fputs(sq::summary<deployed>().c_str(), stdout);

    const sq::first_samples some(run.calibration_images, chosen.calibration_count);
    run.ranges = sq::calibrate(run.parameters, some, sq::min_max{});
    sq::float_network<deployed> network(run.parameters);
    run.float_classes = predict(run.images, network);
    if (chosen.print_predictions)
        for (const int predicted : run.float_classes) std::printf("%d\n", predicted);
    const std::vector<float> sample(run.images[0].begin(), run.images[0].end());
    run.float_time = median_time([&] { network(sample); });

    using sq::quantized, sq::asymmetric, sq::symmetric, sq::per_tensor, sq::per_channel;
    run.template evaluate<quantized<8, asymmetric, per_tensor>>("per tensor, asymmetric");
    run.template evaluate<quantized<8, symmetric, per_channel>>("per channel, symmetric");
    run.template evaluate<quantized<8, asymmetric, per_channel>>("per channel, asymmetric");
    std::printf("\n%zu images, 8-bit weights and activations, calibrated on %zu images; accuracy in percent\n%s",
                run.images.size(), some.size(), run.results.text().c_str());
    return 0;
}

/// The same with the weights that the options name.
template <class Net>
int evaluate(const char* name, const options& chosen, const sq::io::preprocessing& how) {
    return evaluate(name, sq::load<Net>(chosen.weights), chosen, how);
}

} // namespace demo
