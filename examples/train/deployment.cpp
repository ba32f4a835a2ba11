// SPDX-License-Identifier: Apache-2.0
#include "deployment.hpp"

#include <statiq/analyze/table.hpp>
#include <statiq/calibrate/calibrate_data.hpp>
#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/passes/quantize_data.hpp>
#include <statiq/simulate/float_simulation.hpp>

#include "../support/outputs.hpp"
#include "../support/settings.hpp"
#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace train {

namespace {

sq::sample_reader reader_of(const sq::io::image_set& images, std::size_t count) {
    return {std::min(count, images.size()), images.image_extents().size(),
            [&images](std::size_t i, std::span<float> to) { images.read(i, to); }};
}

/// The best class of every image, the first of several.
std::vector<std::int32_t> classes_of(const std::vector<float>& outputs, std::size_t size) {
    std::vector<std::int32_t> classes;
    for (auto row = outputs.begin(); row != outputs.end(); row += static_cast<std::ptrdiff_t>(size))
        classes.push_back(
            static_cast<std::int32_t>(std::max_element(row, row + static_cast<std::ptrdiff_t>(size)) - row));
    return classes;
}

double percent_right(const std::vector<std::int32_t>& classes, std::span<const std::int32_t> labels) {
    std::size_t right = 0;
    for (std::size_t i = 0; i < classes.size(); ++i) right += classes[i] == labels[i];
    return 100.0 * static_cast<double>(right) / static_cast<double>(classes.size());
}

/// How far the best output is above the second.
double lead(std::span<const float> outputs) {
    std::vector<float> sorted(outputs.begin(), outputs.end());
    std::nth_element(sorted.begin(), sorted.begin() + 1, sorted.end(), std::greater<>{});
    return static_cast<double>(sorted[0]) - static_cast<double>(sorted[1]);
}

/// Simulated and integer execution of one choice of numbers. Only what is compiled runs in integers.
deployment_line run_in(const std::string& scheme, const std::string& bits, const sq::network_data& deployed,
                       std::span<const sq::range> ranges, integer_run& run_integers, const options& chosen,
                       const test_set& test, const example::progress_line& line) {
    const std::size_t size = deployed.nodes.back().out.size();
    const example::scheme how = example::make_scheme(scheme, bits);
    const sq::quantized_data quantized = sq::quantize_data(deployed, ranges, how.numbers);
    if (const std::string complaint = sq::number_complaint(quantized); !complaint.empty())
        throw std::invalid_argument("scheme " + how.name + ": " + complaint);
    const sq::simulation<> simulation(quantized);
    const std::vector<float> outputs = example::outputs_of(simulation, reader_of(test.images, test.count),
                                                           chosen.threads, line.of("simulated " + how.name));
    const auto simulated = classes_of(outputs, size);
    deployment_line made{.scheme = scheme, .bits = bits, .simulated_percent = percent_right(simulated, test.labels)};
    const std::vector<float> integers =
        bits == "8,8" ? run_integers(deployed, scheme, ranges, test.images, test.count) : std::vector<float>{};
    if (integers.empty()) return made;
    const auto integer = classes_of(integers, size);
    made.integer_percent = percent_right(integer, test.labels);
    const auto step = static_cast<double>(simulation.map_of(simulation.nodes().size() - 1).scale);
    for (std::size_t i = 0; i < test.count; ++i) {
        if (simulated[i] == integer[i]) continue;
        ++made.others;
        made.far += lead(std::span(outputs).subspan(i * size, size)) > 1.5 * step; // leads are whole steps
    }
    return made;
}

void print(const deployment_line& made, std::size_t images) {
    std::printf("%s, weights and activations of %s bits\n  simulated  %6.2f\n", made.scheme.c_str(), made.bits.c_str(),
                made.simulated_percent);
    if (!made.integer_percent) {
        std::printf("  integer         - (compiled for 8,8 in symmetric_channel and asymmetric_tensor)\n");
        return;
    }
    std::printf("  integer    %6.2f\n", *made.integer_percent);
    std::printf(
        "simulated and integer choose another class for %zu of %zu images, for %zu of these by more than a step "
        "of the output\n",
        made.others, images, made.far);
}

} // namespace

std::vector<deployment_line> deploy_and_compare(const trainee& network, integer_run& run_integers,
                                                const options& chosen, const sq::io::image_set& training,
                                                const test_set& test, const example::progress_line& line) {
    const sq::network_data deployed = network.deployed();
    std::vector<sq::range> ranges = network.ranges();
    if (ranges.empty())
        ranges = sq::calibrate(deployed, reader_of(training, chosen.calibration_count),
                               sq::observer_choice{sq::min_max{}, {}}, 1, chosen.threads, line.of("calibration"));
    const auto of_float =
        classes_of(example::outputs_of(sq::float_simulation(deployed), reader_of(test.images, test.count),
                                       chosen.threads, line.of("float")),
                   deployed.nodes.back().out.size());
    const double float_percent = percent_right(of_float, test.labels);
    std::printf("%zu test images, accuracy in percent\n  float      %6.2f\n", test.count, float_percent);
    std::vector<deployment_line> made;
    for (const std::string& numbers : chosen.deploy) {
        const std::size_t colon = numbers.find(':');
        const std::string bits = numbers.substr(colon + 1);
        made.push_back(run_in(numbers.substr(0, colon), bits, deployed, ranges, run_integers, chosen, test, line));
        made.back().float_percent = float_percent;
        print(made.back(), test.count);
    }
    return made;
}

} // namespace train
