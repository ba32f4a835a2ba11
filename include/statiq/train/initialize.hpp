// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/parameters.hpp>
#include <statiq/operations/add.hpp>
#include <statiq/train/random.hpp>

#include <cmath>
#include <cstddef>

namespace statiq {

namespace detail {
/// Whether a rectifier reads what the node gives, at once or behind a batch norm or a sum.
template <graph_type G>
constexpr bool is_rectified(std::size_t index) {
    if (G::nodes[index].clamp.bounds()) return true;
    for (std::size_t i = index + 1; i < node_count<G>; ++i) {
        const node& reader = G::nodes[i];
        bool reads = false;
        for (int k = 0; k < reader.input_count; ++k)
            reads = reads || reader.inputs[static_cast<std::size_t>(k)] == static_cast<int>(index);
        if (!reads) continue;
        if (reader.clamp.bounds()) return true;
        if ((reader.traits().normalizes || reader.is<operations::add>()) && is_rectified<G>(i)) return true;
    }
    return false;
}
} // namespace detail

/// Parameters to begin a training with: biases zero, batch norms that change nothing, and weights uniform with the
/// variance 2 / fan-in before a rectifier (He et al., arXiv 1502.01852, equation 10), 1 / fan-in elsewhere. Uniform
/// rather than normal so that the bits depend on no library's logarithm.
template <graph_type G>
parameters<G> initial_parameters(random_numbers& random) {
    parameters<G> made = zero_parameters<G>();
    for (std::size_t i = 0; i < node_count<G>; ++i) {
        if (!G::nodes[i].is_linear()) continue;
        const double variance =
            (detail::is_rectified<G>(i) ? 2.0 : 1.0) / static_cast<double>(G::nodes[i].convolution().reduction());
        const double limit = std::sqrt(3 * variance);
        for (float& weight : made[i].weight) weight = static_cast<float>((2 * random.unit() - 1) * limit);
    }
    return made;
}

} // namespace statiq
