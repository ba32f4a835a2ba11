// SPDX-License-Identifier: Apache-2.0
#include "deployment.hpp"

#include <statiq/analyze/table.hpp>
#include <statiq/calibrate/calibrate_data.hpp>
#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/execute/float_simulation.hpp>
#include <statiq/passes/quantize_data.hpp>

#include "../support/outputs.hpp"
#include "../support/settings.hpp"
#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace train {

namespace {

sq::sample_reader reader_of(const sq::io::image_set& images, std::size_t count) {
    return {std::min(count, images.size()), images.image_extents().size(),
            [&images](std::size_t i, float* to) { images.read(i, to); }};
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

} // namespace

bool deploy_and_compare(const trainee& network, integer_run& run_integers, const options& chosen,
                        const sq::io::image_set& training, const test_set& test, const example::progress_line& line) {
    const sq::network_data deployed = network.deployed();
    const std::size_t size = deployed.nodes.back().out.size();
    const auto images = reader_of(test.images, test.count);
    const std::string widths = chosen.fake_quantize.empty() ? "8,8" : chosen.fake_quantize;
    const example::scheme how = example::make_scheme(chosen.scheme, widths);
    std::vector<sq::range> ranges = network.ranges();
    if (ranges.empty())
        ranges = sq::calibrate(deployed, reader_of(training, chosen.calibration_count),
                               sq::observer_choice{sq::min_max{}, {}}, 1, chosen.threads, line.of("calibration"));
    const sq::quantized_data quantized = sq::quantize_data(deployed, ranges, how.numbers);
    if (const std::string complaint = sq::number_complaint(quantized); !complaint.empty())
        throw std::invalid_argument("scheme " + how.name + ": " + complaint);

    const auto of_float =
        classes_of(example::outputs_of(sq::float_simulation(deployed), images, chosen.threads, line.of("float")), size);
    const sq::simulation<> simulation(quantized);
    const std::vector<float> outputs = example::outputs_of(simulation, images, chosen.threads, line.of("simulated"));
    const auto simulated = classes_of(outputs, size);
    std::printf("%s, %zu test images, accuracy in percent\n", how.name.c_str(), test.count);
    std::printf("  float      %6.2f\n", percent_right(of_float, test.labels));
    std::printf("  simulated  %6.2f\n", percent_right(simulated, test.labels));
    const std::vector<float> integers =
        widths == "8,8" ? run_integers(deployed, chosen.scheme, ranges, test.images, test.count) : std::vector<float>{};
    if (integers.empty()) {
        std::printf("  integer         - (only 8,8 in symmetric_channel or asymmetric_tensor)\n");
        return true;
    }
    const auto integer = classes_of(integers, size);
    std::printf("  integer    %6.2f\n", percent_right(integer, test.labels));

    std::size_t others = 0;
    std::size_t far = 0;
    const auto step = static_cast<double>(simulation.map_of(simulation.nodes().size() - 1).scale);
    for (std::size_t i = 0; i < test.count; ++i) {
        if (simulated[i] == integer[i]) continue;
        ++others;
        far += lead(std::span(outputs).subspan(i * size, size)) > 1.5 * step; // leads are whole steps
    }
    std::printf(
        "simulated and integer choose another class for %zu of %zu images, for %zu of these by more than a step "
        "of the output\n",
        others, test.count, far);
    return far == 0;
}

} // namespace train
