// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/quantize_parameters.hpp>

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace benchmarks {

inline std::vector<float> uniform(std::mt19937& random, std::size_t count, double low, double high) {
    std::uniform_real_distribution<float> any(static_cast<float>(low), static_cast<float>(high));
    std::vector<float> values(count);
    for (float& value : values) value = any(random);
    return values;
}

/// Parameters of a deployed graph that keep signals near 1. Where no activation follows, biases lift the outputs above
/// zero: bytes without zero point hold nothing else.
template <statiq::graph_type G>
statiq::parameters<G> random_parameters(std::mt19937& random) {
    statiq::parameters<G> result = statiq::zero_parameters<G>();
    for (std::size_t i = 0; i < statiq::node_count<G>; ++i) {
        const statiq::node& n = G::nodes[i];
        if (!n.is_linear()) continue;
        const bool linear = !n.has_fused_clamp();
        const double limit = (linear ? 1.0 : 2.0) / std::sqrt(n.convolution().reduction());
        result[i].weight = uniform(random, result[i].weight.size(), -limit, limit);
        result[i].bias = uniform(random, result[i].bias.size(), linear ? 1.0 : -0.5, linear ? 3.0 : 0.5);
    }
    return result;
}

/// Observed ranges for unsigned bytes without zero points, which oneDNN is fastest with: everything from 0. A mean
/// keeps its input's scale, as oneDNN's does.
template <statiq::graph_type G>
statiq::node_ranges<G> from_zero(statiq::node_ranges<G> ranges) {
    for (std::size_t i = 0; i < statiq::node_count<G>; ++i) {
        const statiq::node& n = G::nodes[i];
        ranges[i].min = 0;
        if (n.is<statiq::operations::global_average_pool>()) ranges[i] = ranges[static_cast<std::size_t>(n.input())];
    }
    return ranges;
}

/// A set of one sample.
struct one_sample {
    const std::vector<float>& values;
    [[nodiscard]] std::size_t size() const { return 1; }
    [[nodiscard]] std::span<const float> operator[](std::size_t) const { return values; }
};

} // namespace benchmarks
