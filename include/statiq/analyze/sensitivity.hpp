// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/signal_to_noise.hpp>
#include <statiq/passes/quantize_data.hpp>
#include <statiq/passes/weight_maps.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/tensor/sample_reader.hpp>
#include <statiq/tensor/weight_walk.hpp>
#include <statiq/threads/shares.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace statiq {

/// How much the network's output suffers from one layer's weights in a number format, all else in float.
struct layer_sensitivity {
    label layer{};
    std::vector<number_format> formats{};
    std::vector<double> noise{};      ///< at the network's output, relative to its power: one entry a format
    std::vector<std::int64_t> bits{}; ///< of the layer's weights in each format
};

/// A layer's parameters with its weights rounded to a format.
inline layer_parameters with_rounded_weights(const node& n, const layer_parameters& from, const number_format& format) {
    node chosen = n;
    chosen.numbers.weight = format;
    quantized_layer integers;
    detail::quantize_weights(chosen, from, integers);
    const convolution_shape shape = n.convolution();
    const detail::weight_maps map_of(shape, format);
    layer_parameters rounded = from;
    for_each_weight(shape, [&](const weight_place& w) {
        rounded.weight[w.index] = dequantize(integers.weight[w.index], integers.weight_map[map_of(w)]);
    });
    return rounded;
}

/// Measures every linear layer in every format.
inline std::vector<layer_sensitivity> measure_sensitivity(const network_data& deployed,
                                                          std::span<const number_format> formats,
                                                          const sample_reader& samples, std::size_t threads = 1,
                                                          const progress& report = {}) {
    const simulation<> prototype = float_simulation(deployed);
    detail::require_samples(deployed.nodes[0].out.size(), samples);
    const std::size_t outputs = deployed.nodes.back().out.size();
    std::vector<float> expected(samples.size * outputs);
    in_shares(samples.size, threads, 1, [&](std::size_t, std::size_t first, std::size_t last) {
        simulation<> network = prototype;
        std::vector<float> sample(samples.values);
        for (std::size_t s = first; s < last; ++s) {
            samples.read(s, sample);
            const auto result = network.run(sample);
            std::copy(result.begin(), result.end(), expected.begin() + static_cast<std::ptrdiff_t>(s * outputs));
        }
    });
    std::vector<std::size_t> linear;
    for (std::size_t i = 0; i < deployed.nodes.size(); ++i)
        if (deployed.nodes[i].is_linear()) linear.push_back(i);
    std::vector<layer_sensitivity> result(linear.size());
    // Threads share the layers, not the samples: each changes its own copy's weights.
    in_shares(linear.size(), threads, 1, [&](std::size_t share, std::size_t first, std::size_t last) {
        simulation<> network = prototype;
        std::vector<float> sample(samples.values);
        for (std::size_t l = first; l < last; ++l) {
            const node& n = deployed.nodes[linear[l]];
            result[l].layer = n.name;
            for (const number_format& format : formats) {
                network.set_weights(linear[l], with_rounded_weights(n, deployed.parameters[linear[l]], format));
                signal_to_noise error;
                for (std::size_t s = 0; s < samples.size; ++s) {
                    samples.read(s, sample);
                    error.add(expected.data() + s * outputs, network.run(sample).data(), outputs);
                }
                result[l].formats.push_back(format);
                result[l].noise.push_back(error.noise / error.signal);
                result[l].bits.push_back(static_cast<std::int64_t>(n.convolution().weight_count()) * format.bits);
            }
            network.set_weights(linear[l], deployed.parameters[linear[l]]);
            if (report && share == 0) report(linear.size() * (l + 1 - first) / (last - first), linear.size());
        }
    });
    return result;
}

/// A width for every layer.
struct mixed_precision {
    std::vector<layer_override> layers{};
    std::int64_t bits = 0; ///< of all weights
    double predicted_noise =
        0; ///< the layers' measured noises, added: they are small and independent, or so it is hoped
};

/// Picks a format for each layer so that all weights together take at most `budget` bits and the sum of the measured
/// noises is small: starting from the widest formats, the layer whose narrowing adds least noise per bit saved goes
/// down, until the budget is met. Steps may skip formats (only the lower convex hull of a layer's choices counts).
/// @return no layers when even the narrowest formats exceed the budget
inline mixed_precision choose_widths(const std::vector<layer_sensitivity>& measured, std::int64_t budget) {
    struct choice {
        std::size_t layer;
        std::size_t format;
    };
    std::vector<std::size_t> chosen(measured.size());
    std::int64_t total = 0;
    for (std::size_t l = 0; l < measured.size(); ++l) {
        const auto& bits = measured[l].bits;
        chosen[l] = static_cast<std::size_t>(std::max_element(bits.begin(), bits.end()) - bits.begin());
        total += bits[chosen[l]];
    }
    while (total > budget) {
        choice best{measured.size(), 0};
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t l = 0; l < measured.size(); ++l)
            for (std::size_t f = 0; f < measured[l].formats.size(); ++f) {
                const std::int64_t saved = measured[l].bits[chosen[l]] - measured[l].bits[f];
                if (saved <= 0) continue;
                const double cost = (measured[l].noise[f] - measured[l].noise[chosen[l]]) / static_cast<double>(saved);
                if (cost < least) {
                    least = cost;
                    best = {l, f};
                }
            }
        if (best.layer == measured.size()) return {};
        total -= measured[best.layer].bits[chosen[best.layer]] - measured[best.layer].bits[best.format];
        chosen[best.layer] = best.format;
    }
    mixed_precision result{.bits = total};
    for (std::size_t l = 0; l < measured.size(); ++l) {
        result.layers.push_back({measured[l].layer, {.chosen_weight = true, .weight = measured[l].formats[chosen[l]]}});
        result.predicted_noise += measured[l].noise[chosen[l]];
    }
    return result;
}

} // namespace statiq
