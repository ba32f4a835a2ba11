// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/sensitivity.hpp>
#include <statiq/analyze/signal_to_noise.hpp>
#include <statiq/graph/network_data.hpp>
#include <statiq/numeric/number.hpp>
#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/simulate/float_simulation.hpp>
#include <statiq/tensor/sample_reader.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace statiq {

/// What a tensor's values look like.
struct moments {
    double min = std::numeric_limits<double>::infinity();
    double max = -std::numeric_limits<double>::infinity();
    double sum = 0;
    double squares = 0;
    std::size_t count = 0;

    void add(const float* values, std::size_t size) noexcept {
        for (std::size_t i = 0; i < size; ++i) {
            const double x = static_cast<double>(values[i]);
            min = (std::min)(min, x);
            max = (std::max)(max, x);
            sum += x;
            squares += x * x;
        }
        count += size;
    }
    [[nodiscard]] double mean() const noexcept { return count == 0 ? 0 : sum / static_cast<double>(count); }
    /// E[x^2].
    [[nodiscard]] double power() const noexcept { return count == 0 ? 0 : squares / static_cast<double>(count); }
    [[nodiscard]] double deviation() const noexcept { return std::sqrt((std::max)(0.0, power() - mean() * mean())); }
};

/// Counts of w^2 / E[w^2] by powers of ten (P2 appendix A): bin k holds 10^(k - 9) to 10^(k - 8), the first and the
/// last what is beyond them, zeros included.
using energy_histogram = std::array<std::size_t, 12>;
inline constexpr int energy_lowest_decade = -9;

inline energy_histogram energies_of(const std::vector<float>& values) {
    double power = 0;
    for (const float x : values) power += static_cast<double>(x) * static_cast<double>(x);
    power /= static_cast<double>(std::max<std::size_t>(values.size(), 1));
    energy_histogram counts{};
    for (const float x : values) {
        const double ratio = static_cast<double>(x) * static_cast<double>(x) / power;
        const double decade = ratio > 0 ? std::floor(std::log10(ratio)) - energy_lowest_decade : 0.0;
        ++counts[static_cast<std::size_t>(std::clamp(decade, 0.0, static_cast<double>(counts.size() - 1)))];
    }
    return counts;
}

/// A weight tensor: its values, and what 8 bits make of it.
struct weight_distribution {
    moments values{};
    energy_histogram energies{};
    std::vector<float> channel_ranges{}; ///< greatest magnitude of each output channel
    double sqnr_per_tensor = 0;          ///< dB, 8 bits, asymmetric (P2 appendix A); large channels decide it
    double sqnr_per_channel = 0;
    double median_channel_sqnr = 0; ///< dB of the median channel's own weights, 8 bits, one scale a tensor

    /// The greatest channel's range over the median channel's.
    [[nodiscard]] double spread() const {
        const float median = median_range();
        return median > 0 ? static_cast<double>(greatest_range()) / static_cast<double>(median)
                          : std::numeric_limits<double>::infinity();
    }
    [[nodiscard]] float greatest_range() const {
        return *std::max_element(channel_ranges.begin(), channel_ranges.end());
    }
    /// Channels that training or batch norm has switched off (weights of 1e-30 beside others of 1) have no say in what
    /// is usual.
    [[nodiscard]] bool is_on(std::size_t channel) const { return channel_ranges[channel] > 1e-9F * greatest_range(); }
    /// Of the channels that are on.
    [[nodiscard]] float median_range() const {
        std::vector<float> on;
        for (std::size_t c = 0; c < channel_ranges.size(); ++c)
            if (is_on(c)) on.push_back(channel_ranges[c]);
        if (on.empty()) return 0;
        const auto middle = on.begin() + static_cast<std::ptrdiff_t>(on.size() / 2);
        std::nth_element(on.begin(), middle, on.end());
        return *middle;
    }
};

/// A channel of the batch norm behind a layer: alpha = gamma / sqrt(variance + epsilon) (P1 (10), figure 3).
struct channel_scale {
    double gamma = 0;
    double variance = 0;
    double alpha = 0;
    bool dead = false;    ///< next to no variance: the channel is the same for every input
    bool outlier = false; ///< its folded weights are many times the median channel's
};

/// One linear layer of a trained network, and of the same network deployed.
struct layer_distribution {
    std::string name{};
    bool depthwise = false;
    std::vector<channel_scale> channels{}; ///< empty without a batch norm
    weight_distribution trained{};         ///< before batch norm is folded
    weight_distribution deployed{};        ///< after
    moments activations{};                 ///< of its deployed output, after its activation
    moments before_activation{};
    double clipped_share = 0; ///< of output values that a bounded activation cut off above
    double clipped_sqnr = std::numeric_limits<double>::infinity(); ///< dB: the signal below the bound over what was cut
};

/// When a channel counts as dead, or as an outlier.
struct distribution_thresholds {
    double dead_variance = 1e-6; ///< relative to the layer's median variance
    double outlier = 8;          ///< times the median channel's range
};

namespace detail {

inline weight_distribution weights_of(const node& n, const layer_parameters& from) {
    const convolution_shape shape = n.convolution();
    weight_distribution d;
    d.values.add(from.weight.data(), from.weight.size());
    d.energies = energies_of(from.weight);
    for (const range& r : weight_ranges(from.weight, shape)) d.channel_ranges.push_back((std::max)(-r.min, r.max));
    const auto rounded = [&](const number_format& format) { return with_rounded_weights(n, from, format).weight; };
    const auto ratio = [&](const std::vector<float>& weights) {
        signal_to_noise error;
        error.add(from.weight.data(), weights.data(), weights.size());
        return error.sqnr();
    };
    const std::vector<float> per_tensor_weights = rounded(quantized<8, asymmetric>::format);
    d.sqnr_per_tensor = ratio(per_tensor_weights);
    d.sqnr_per_channel = ratio(rounded(quantized<8, asymmetric, per_channel>::format));
    std::vector<double> ratios;
    for (int o = 0; o < shape.out.channels; ++o) {
        if (!d.is_on(static_cast<std::size_t>(o))) continue;
        signal_to_noise error;
        for_each_weight_of_output(
            shape, o, [&](const weight_place& w) { error.add(from.weight[w.index], per_tensor_weights[w.index]); });
        ratios.push_back(error.sqnr());
    }
    if (ratios.empty()) ratios.push_back(std::numeric_limits<double>::infinity());
    const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
    std::nth_element(ratios.begin(), middle, ratios.end());
    d.median_channel_sqnr = *middle;
    return d;
}

inline std::vector<channel_scale> scales_of(const layer_parameters& norm, float epsilon,
                                            const weight_distribution& folded, const distribution_thresholds& limits) {
    const std::vector<double> alpha = batch_norm_scale(norm, epsilon);
    std::vector<float> variances = norm.variance;
    const auto middle = variances.begin() + static_cast<std::ptrdiff_t>(variances.size() / 2);
    std::nth_element(variances.begin(), middle, variances.end());
    const double dead = limits.dead_variance * static_cast<double>(*middle);
    const double outlier = limits.outlier * static_cast<double>(folded.median_range());
    std::vector<channel_scale> scales;
    for (std::size_t c = 0; c < alpha.size(); ++c) {
        const auto variance = static_cast<double>(norm.variance[c]);
        scales.push_back({.gamma = static_cast<double>(norm.gamma[c]),
                          .variance = variance,
                          .alpha = alpha[c],
                          .dead = variance <= dead,
                          .outlier = static_cast<double>(folded.channel_ranges[c]) > outlier});
    }
    return scales;
}

} // namespace detail

/// Looks at every linear layer of a network: as trained, and as deployed (batch norm folded, activations fused); the
/// deployed layers keep the trained ones' names. Without samples, activations stay unknown.
inline std::vector<layer_distribution> measure_distributions(const network_data& trained, const network_data& deployed,
                                                             const sample_reader& samples,
                                                             const distribution_thresholds& limits = {}) {
    detail::require_sizes(trained.nodes, trained.parameters);
    detail::require_sizes(deployed.nodes, deployed.parameters);
    std::vector<layer_distribution> lines;
    std::vector<std::size_t> nodes;
    for (std::size_t i = 0; i < deployed.nodes.size(); ++i) {
        const node& n = deployed.nodes[i];
        if (!n.is_linear()) continue;
        layer_distribution line{.name = std::string(n.name.view()), .depthwise = n.is_depthwise()};
        line.deployed = detail::weights_of(n, deployed.parameters[i]);
        line.trained = line.deployed;
        for (std::size_t k = 0; k < trained.nodes.size(); ++k) {
            const node& original = trained.nodes[k];
            if (original.is_linear() && original.name == n.name)
                line.trained = detail::weights_of(original, trained.parameters[k]);
            if (!original.traits().normalizes) continue;
            const node& before = trained.nodes[static_cast<std::size_t>(original.input())];
            if (original.name == n.name || (before.is_linear() && before.name == n.name))
                line.channels = detail::scales_of(trained.parameters[k], original.epsilon, line.deployed, limits);
        }
        lines.push_back(std::move(line));
        nodes.push_back(i);
    }
    if (samples.size > 0) detail::require_samples(deployed.nodes[0].out.size(), samples);
    simulation<> network = float_simulation(deployed);
    std::vector<float> sample(samples.values);
    std::vector<float> sums;
    std::vector<double> kept(lines.size());
    std::vector<double> cut(lines.size());
    for (std::size_t s = 0; s < samples.size; ++s) {
        samples.read(s, sample);
        std::size_t at = 0;
        for (std::size_t i = 0; i < deployed.nodes.size(); ++i) {
            network.step(i, sample);
            if (at == nodes.size() || nodes[at] != i) continue;
            const node& n = deployed.nodes[i];
            layer_distribution& line = lines[at];
            sums.resize(n.out.size());
            network.sums(i, network.tensor(static_cast<std::size_t>(n.input())), loss_sources::all(), sums);
            line.before_activation.add(sums.data(), sums.size());
            line.activations.add(network.tensor(i).data(), n.out.size());
            const real_clamp bounds = n.clamp;
            for (const float x : sums) {
                const double passed = static_cast<double>(std::clamp(x, bounds.lowest, bounds.highest));
                kept[at] += passed * passed;
                if (x <= bounds.highest) continue;
                line.clipped_share += 1;
                const double lost = static_cast<double>(x) - passed;
                cut[at] += lost * lost;
            }
            ++at;
        }
    }
    for (std::size_t l = 0; l < lines.size(); ++l) {
        lines[l].clipped_share /= static_cast<double>(std::max<std::size_t>(lines[l].activations.count, 1));
        if (cut[l] > 0) lines[l].clipped_sqnr = 10 * std::log10(kept[l] / cut[l]);
    }
    return lines;
}

} // namespace statiq
