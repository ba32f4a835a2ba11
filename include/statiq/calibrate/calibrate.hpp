// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration.hpp>
#include <statiq/calibrate/observers.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/tensor/samples.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace statiq {

/// Runs a deployed network in float over samples and observes what every node's output spans.
/// @param batch samples that count as one observation (a moving average averages over batches).
/// @throws calibration_error on a NaN or an infinity, on a sample of the wrong size, and when there are no samples
template <graph_type G, sample_set Samples, observer Observer = min_max>
node_ranges<G> calibrate(const parameters<G>& deployed_parameters, const Samples& samples, const Observer& rule = {},
                         std::size_t batch = 1) {
    float_network<G> network(deployed_parameters);
    calibration<Observer> seen(G::nodes, rule);
    for (int pass = 0; pass < rule.passes(); ++pass) {
        detail::observe_samples(seen, samples, 0, samples.size(), batch, [&](std::span<const float> sample) {
            network.run(sample, [&]<std::size_t I>(node_index<I>, const float* values) {
                seen.see(I, {values, G::nodes[I].out.size()});
            });
        });
        seen.end_pass();
    }
    const std::vector<range> found = seen.ranges();
    node_ranges<G> ranges{};
    std::copy(found.begin(), found.end(), ranges.begin());
    return ranges;
}

} // namespace statiq
