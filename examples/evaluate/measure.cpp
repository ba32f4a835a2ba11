// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <statiq/analyze/table.hpp>
#include <statiq/calibrate/calibrate_data.hpp>
#include <statiq/calibrate/correct_biases.hpp>
#include <statiq/passes/equalize.hpp>
#include <statiq/passes/replace_relu6.hpp>

#include "../support/outputs.hpp"
#include "../support/progress_line.hpp"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace evaluate {

namespace {

struct image_file {
    sq::io::image_set set;
    [[nodiscard]] sq::sample_reader reader(std::size_t most) const {
        const std::size_t size = most == 0 ? set.size() : std::min(most, set.size());
        return {size, set.image_extents().size(), [this](std::size_t i, std::span<float> to) { set.read(i, to); }};
    }
};

image_file read_images(const std::filesystem::path& path, const subject& what) {
    return {sq::io::read_images(path, what.input, what.pixels)};
}

bool asked_for(const options& chosen, const std::string& repair) {
    return std::find(chosen.repairs.begin(), chosen.repairs.end(), repair) != chosen.repairs.end();
}

/// The five best classes, best first.
std::array<std::int32_t, 5> best_of(std::span<const float> scores) {
    std::vector<std::int32_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    const std::size_t count = std::min<std::size_t>(5, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                      [&](std::int32_t a, std::int32_t b) {
                          const float x = scores[static_cast<std::size_t>(a)];
                          const float y = scores[static_cast<std::size_t>(b)];
                          return x > y || (x == y && a < b);
                      });
    std::array<std::int32_t, 5> best{-1, -1, -1, -1, -1};
    std::copy_n(order.begin(), count, best.begin());
    return best;
}

accuracy compare_outputs(const std::vector<float>& reference, const std::vector<float>& outputs, std::size_t classes,
                         const std::vector<std::int32_t>& labels) {
    const std::size_t count = outputs.size() / classes;
    std::size_t top1 = 0;
    std::size_t top5 = 0;
    std::size_t agreeing = 0;
    for (std::size_t s = 0; s < count; ++s) {
        const auto found = best_of({outputs.data() + s * classes, classes});
        const auto expected = best_of({reference.data() + s * classes, classes});
        if (found[0] == expected[0]) ++agreeing;
        if (labels.empty()) continue;
        if (found[0] == labels[s]) ++top1;
        if (std::find(found.begin(), found.end(), labels[s]) != found.end()) ++top5;
    }
    const auto percent = [count](std::size_t hits) {
        return 100.0 * static_cast<double>(hits) / static_cast<double>(count);
    };
    accuracy reached{.top1 = labels.empty() ? -1.0 : percent(top1),
                     .top5 = labels.empty() ? -1.0 : percent(top5),
                     .agreement = percent(agreeing)};
    reached.output.add(reference.data(), outputs.data(), outputs.size());
    return reached;
}

std::int64_t weight_bits_of(const sq::quantized_data& data) {
    std::int64_t bits = 0;
    for (const sq::node& n : data.nodes)
        if (n.is_linear()) bits += static_cast<std::int64_t>(n.convolution().weight_count()) * n.numbers.weight.bits;
    return bits;
}

/// The part of an evaluation that is done scheme by scheme.
struct schedule {
    const options& chosen;
    const progress_line& line;
    const std::vector<float>& original; ///< the float network's outputs
    const sq::network_data& repaired;
    const sq::sample_reader& images;
    const sq::sample_reader& calibration;
    const std::vector<std::int32_t>& labels;
    std::vector<std::pair<sq::number_format, std::vector<sq::range>>> calibrated{};

    /// One kind of weights in one pair of widths, or in several mixtures of widths.
    void evaluate(const std::string& name, const std::string& bits, std::vector<scheme_result>& results) {
        scheme how = make_scheme(name, bits);
        for (const std::string& text : chosen.overrides) {
            const sq::layer_override made = make_override(text, name);
            if (!is_layer(made.layer))
                throw std::invalid_argument("override '" + text + "': the network has no layer of this name");
            how.layers.push_back(made);
        }
        if (chosen.budget_bits.empty() && chosen.budget_bytes.empty()) {
            results.push_back(measure(std::move(how)));
            return;
        }
        std::vector<sq::number_format> widths;
        for (int width = 2; width <= 8; ++width) widths.push_back(weight_format(name, width));
        const auto measured = sq::measure_sensitivity(repaired, widths, calibration.first(16), chosen.threads,
                                                      line.of(how.name + ": sensitivity"));
        std::int64_t weights = 0;
        for (const auto& layer : measured) weights += layer.bits.back() / 8;
        const auto mix = [&](double budget, const std::string& text) {
            const auto mixed = sq::choose_widths(measured, static_cast<std::int64_t>(budget));
            if (mixed.layers.empty())
                throw std::invalid_argument("budget of " + text + ": the network has " + std::to_string(weights) +
                                            " weights, of 2 bits at least");
            scheme mixture = how;
            mixture.layers.insert(mixture.layers.begin(), mixed.layers.begin(), mixed.layers.end());
            mixture.name += " mixed " + text;
            results.push_back(measure(std::move(mixture)));
        };
        for (const double budget : chosen.budget_bits)
            mix(budget * static_cast<double>(weights), sq::fixed(budget, 2) + " bits");
        for (const double budget : chosen.budget_bytes) mix(8 * budget, sq::fixed(budget, 0) + " bytes");
    }

  private:
    [[nodiscard]] bool is_layer(const sq::label& name) const {
        return std::any_of(repaired.nodes.begin(), repaired.nodes.end(),
                           [&](const sq::node& n) { return n.name == name; });
    }

    /// Schemes with the same activations share their calibration; those with float ones need none.
    const std::vector<sq::range>& ranges_for(const scheme& how) {
        const sq::number_format& activation = how.numbers.activation;
        for (const auto& [format, ranges] : calibrated)
            if (format == activation) return ranges;
        sq::observer_choice observers{make_observer(chosen.observer, activation), {}};
        for (const std::string& text : chosen.layer_observers) {
            const auto equals = text.find('=');
            if (equals == std::string::npos || !is_layer(sq::label{} + std::string_view(text).substr(0, equals)))
                throw std::invalid_argument("layer observer '" + text + "': expected layer=observer");
            observers.layers[text.substr(0, equals)] = make_observer(text.substr(equals + 1), activation);
        }
        std::vector<sq::range> ranges(repaired.nodes.size());
        if (!activation.floating || !chosen.overrides.empty())
            ranges = sq::calibrate(repaired, calibration, observers, chosen.batch, chosen.threads,
                                   line.of(how.name + ": calibration"));
        return calibrated.emplace_back(activation, std::move(ranges)).second;
    }

    scheme_result measure(scheme how) {
        const std::vector<sq::range> ranges = ranges_for(how);
        sq::network_data deployed = repaired;
        if (asked_for(chosen, "bias"))
            deployed = sq::correct_biases(std::move(deployed), ranges, how.numbers, how.layers, calibration.first(16),
                                          chosen.threads, line.of(how.name + ": bias correction"));
        sq::quantized_data quantized = sq::quantize_data(deployed, ranges, how.numbers, how.layers);
        if (const std::string complaint = sq::number_complaint(quantized); !complaint.empty())
            throw std::invalid_argument("scheme " + how.name + ": " + complaint);
        // Corrected biases belong to the quantized network: what it departs from is the network without.
        for (std::size_t i = 0; i < quantized.nodes.size(); ++i)
            if (quantized.nodes[i].is_linear())
                quantized.reals[i] = repaired.parameters[static_cast<std::size_t>(quantized.origin[i])];

        scheme_result done{.weight_bits = how.float_weights ? 0 : weight_bits_of(quantized)};
        const std::size_t classes = repaired.nodes.back().out.size();
        const sq::sample_reader few = images.first(chosen.layer_images);
        const sq::loss_sources enabled =
            how.float_weights ? sq::loss_sources::all().without(sq::loss_source::weight) : sq::loss_sources::all();
        sq::simulation<> simulated(quantized);
        simulated.set_sources(enabled);
        done.reached = compare_outputs(original, outputs_of(simulated, images, chosen.threads, line.of(how.name)),
                                       classes, labels);
        done.layers =
            sq::measure_quality(repaired, quantized, few, chosen.threads, line.of(how.name + ": layers"), enabled);
        done.mean_sqnr = sq::mean_sqnr(done.layers);
        constexpr sq::loss_sources measured = sq::loss_sources::all();
        for (std::size_t k = 0; k < measured.size() && !chosen.report.empty(); ++k) {
            const sq::loss_source& source = measured[k];
            // The network's input is the only one that consists of reals.
            const bool of_input = &source == &sq::loss_source::input;
            simulated.set_sources(of_input ? sq::loss_sources::none() : source);
            if (of_input) simulated.set_sources(0, source);
            const auto outputs = outputs_of(simulated, few, chosen.threads, {});
            done.sources.push_back({&source});
            done.sources.back().ratio.add(original.data(), outputs.data(), outputs.size());
        }
        done.how = std::move(how);
        return done;
    }
};

} // namespace

evaluation run(const options& chosen) {
    const network_entry& entry = networks().at(chosen.network);
    const progress_line line(chosen.quiet);
    const subject what = entry.load(chosen.weights);
    const image_file image_set = read_images(chosen.images, what);
    const sq::sample_reader images = image_set.reader(chosen.images_count);
    const image_file calibration_set = read_images(chosen.calibration, what);
    const sq::sample_reader calibration = calibration_set.reader(chosen.calibration_count);
    std::vector<std::int32_t> labels;
    if (!chosen.labels.empty()) labels = sq::io::read_labels(chosen.labels, image_set.set.size());

    evaluation result{.classifies = entry.classifies, .has_labels = !labels.empty(), .images = images.size};
    const sq::network_data original = what.deploy(false);
    const std::size_t classes = original.nodes.back().out.size();
    const std::vector<float> reference =
        outputs_of(sq::float_simulation(original), images, chosen.threads, line.of("float"));
    result.floating = compare_outputs(reference, reference, classes, labels);

    sq::network_data repaired = what.deploy(asked_for(chosen, "variance"));
    if (asked_for(chosen, "relu")) repaired = sq::replace_relu6(std::move(repaired));
    if (asked_for(chosen, "equalize")) repaired = sq::equalize(std::move(repaired));
    if (!chosen.repairs.empty())
        result.repaired = compare_outputs(
            reference, outputs_of(sq::float_simulation(repaired), images, chosen.threads, line.of("float, repaired")),
            classes, labels);
    const sq::sample_reader few = images.first(chosen.layer_images);
    result.distributions = sq::measure_distributions(what.trained, repaired, few.first(8));
    for (const auto& d : result.distributions) result.verdicts.push_back(sq::judge(d));

    schedule planned{.chosen = chosen,
                     .line = line,
                     .original = reference,
                     .repaired = repaired,
                     .images = images,
                     .calibration = calibration,
                     .labels = labels};
    for (const std::string& name : chosen.schemes)
        for (const std::string& bits : chosen.bits) planned.evaluate(name, bits, result.schemes);
    return result;
}

} // namespace evaluate
