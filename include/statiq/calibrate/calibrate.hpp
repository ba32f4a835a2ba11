// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/observers.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/tensor/samples.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace statiq {

/// Calibration met data it cannot use; the message names the layer and the sample.
class calibration_error : public std::runtime_error {
  public:
    calibration_error(std::string_view layer, std::size_t sample, std::string_view found)
        : std::runtime_error("calibration: layer '" + std::string(layer) + "', sample " + std::to_string(sample) +
                             ": expected finite values, found " + std::string(found)) {}
    explicit calibration_error(const std::string& what) : std::runtime_error("calibration: " + what) {}
};

/// Runs a deployed network in float over samples and observes what every node's output spans.
/// @param batch samples whose extremes count as one observation (a moving average averages over batches).
/// @throws calibration_error on a NaN or an infinity, on a sample of the wrong size, and when there are no samples
template <graph_type G, sample_set Samples, observer Observer = min_max>
node_ranges<G> calibrate(const parameters<G>& deployed_parameters, const Samples& samples, const Observer& rule = {},
                         std::size_t batch = 1) {
    if (samples.size() == 0 || batch == 0) throw calibration_error("at least one sample in batches of at least one");
    float_network<G> network(deployed_parameters);
    node_ranges<G> ranges{};
    std::array<batch_range, node_count<G>> seen{};
    for (std::size_t s = 0; s < samples.size(); ++s) {
        const std::span<const float> sample = samples[s];
        if (sample.size() != input_extents<G>.size())
            throw calibration_error("sample " + std::to_string(s) + ": expected " +
                                    std::to_string(input_extents<G>.size()) + " values, found " +
                                    std::to_string(sample.size()));
        std::size_t bad = node_count<G>;
        bool bad_is_nan = false;
        network.run(sample.data(), [&]<std::size_t I>(node_index<I>, const float* values) {
            batch_range& r = seen[I];
            bool finite = true;
            bool nan = false;
            for (std::size_t k = 0; k < G::nodes[I].out.size(); ++k) {
                r.min = std::min(r.min, values[k]);
                r.max = std::max(r.max, values[k]);
                finite = finite && std::isfinite(values[k]);
                nan = nan || std::isnan(values[k]);
            }
            if (finite || bad < I) return;
            bad = I;
            bad_is_nan = nan;
        });
        if (bad < node_count<G>)
            throw calibration_error(G::nodes[bad].name.view(), s, bad_is_nan ? "a NaN" : "an infinity");
        if ((s + 1) % batch != 0 && s + 1 != samples.size()) continue;
        for (std::size_t i = 0; i < node_count<G>; ++i) rule.update(seen[i], ranges[i], s < batch);
        seen = {};
    }
    return ranges;
}

} // namespace statiq
