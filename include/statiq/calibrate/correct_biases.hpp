// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/calibrate/calibration.hpp>
#include <statiq/exceptions.hpp>
#include <statiq/passes/quantize_data.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/tensor/sample_reader.hpp>
#include <statiq/threads/shares.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace statiq {

namespace detail {

/// The mean of each channel over pixels, added up.
inline void add_channel_means(const float* values, const extents& shape, std::vector<double>& sums) {
    const auto channels = static_cast<std::size_t>(shape.channels);
    const double share = 1.0 / static_cast<double>(shape.pixels());
    for (std::size_t pixel = 0; pixel < shape.pixels(); ++pixel)
        for (std::size_t c = 0; c < channels; ++c) sums[c] += share * static_cast<double>(values[pixel * channels + c]);
}

/// Means over samples of a linear node's sums, channel by channel.
/// @param prototype its copies run up to the node before `index`
/// @throws calibration_error naming the first sample whose sums are not finite
inline std::vector<double> mean_sums(const simulation<>& prototype, std::size_t index, const sample_reader& samples,
                                     std::size_t threads) {
    const node& n = prototype.nodes()[index];
    const auto channels = static_cast<std::size_t>(n.out.channels);
    std::vector<std::vector<double>> partial(std::max<std::size_t>(threads, 1), std::vector<double>(channels));
    std::vector<std::size_t> bad(partial.size(), samples.size); // each share's first sample that is not finite
    in_shares(samples.size, threads, 1, [&](std::size_t share, std::size_t first, std::size_t last) {
        simulation<> network = prototype;
        std::vector<float> sample(samples.values);
        std::vector<float> sums(n.out.size());
        for (std::size_t s = first; s < last; ++s) {
            samples.read(s, sample);
            for (std::size_t i = 0; i < index; ++i) network.step(i, sample);
            network.sums(index, network.tensor(static_cast<std::size_t>(n.input())), loss_sources::all(), sums);
            if (!all_finite(sums)) {
                bad[share] = s;
                return;
            }
            add_channel_means(sums.data(), n.out, partial[share]);
        }
    });
    const std::size_t first_bad = *std::min_element(bad.begin(), bad.end());
    if (first_bad < samples.size) throw calibration_error(n.name.view(), first_bad, "a NaN or an infinity");
    for (std::size_t share = 1; share < partial.size(); ++share)
        for (std::size_t c = 0; c < channels; ++c) partial[0][c] += partial[share][c];
    for (double& sum : partial[0]) sum /= static_cast<double>(samples.size);
    return partial[0];
}

} // namespace detail

/// Empirical bias correction (Nagel et al., arXiv 1906.04721, section 4.2): rounding shifts the mean of a layer's sums;
/// layer by layer, from the front, the difference of each channel's mean from the float network's goes into its bias,
/// with the layers before already corrected. For the numbers it is to be quantized to. Layers without a bias are left.
/// @return the deployed network with other biases; in float it is a slightly different function
/// @throws calibration_error naming layer and sample when a layer's sums are not finite
inline network_data correct_biases(network_data deployed, std::span<const range> ranges, const number_choice& choice,
                                   std::span<const layer_override> overrides, const sample_reader& samples,
                                   std::size_t threads = 1, const progress& report = {}) {
    const simulation<> floating = float_simulation(deployed);
    detail::require_samples(deployed.nodes[0].out.size(), samples);
    for (std::size_t i = 0; i < deployed.nodes.size(); ++i) {
        const node& n = deployed.nodes[i];
        if (!n.is_linear() || !n.has_bias) continue;
        const quantized_data quantized = quantize_data(deployed, ranges, choice, overrides);
        const auto at =
            static_cast<std::size_t>(std::find_if(quantized.nodes.begin(), quantized.nodes.end(),
                                                  [&n](const node& other) { return other.name == n.name; }) -
                                     quantized.nodes.begin());
        const std::vector<double> wanted = detail::mean_sums(floating, i, samples, threads);
        const std::vector<double> found = detail::mean_sums(simulation<>(quantized), at, samples, threads);
        for (std::size_t c = 0; c < wanted.size(); ++c)
            deployed.parameters[i].bias[c] += static_cast<float>(wanted[c] - found[c]);
        if (report) report(i + 1, deployed.nodes.size());
    }
    return deployed;
}

/// The same for a typed network and types of numbers.
template <number_type Weight, number_type Activation, graph_type G, graph_type R = G>
parameters<G> correct_biases(const parameters<G>& deployed_parameters, const node_ranges<R>& ranges,
                             const sample_reader& samples, std::size_t threads = 1) {
    static_assert(check_ranges<detail::ranges_verdict<R, G>>::passed);
    return as_parameters<G>(correct_biases(as_data(deployed_parameters), ranges,
                                           {Weight::format, Activation::format, Weight::format}, {}, samples, threads));
}

} // namespace statiq
