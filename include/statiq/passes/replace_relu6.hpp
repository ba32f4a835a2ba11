// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network_data.hpp>
#include <statiq/passes/rewrite.hpp>

#include <cstddef>
#include <utility>

namespace statiq {

namespace detail {

/// A ReLU wherever a ReLU6 is, fused or not. Names stay.
struct replace_relu6_pass {
    static constexpr node replaced(node n) {
        if (n.clamp == relu6_clamp) n.clamp = relu_clamp;
        return n;
    }
    template <std::size_t Size>
    static constexpr auto run(const node_array<Size>& nodes) {
        rewriting<Size> out;
        for (std::size_t i = 0; i < Size; ++i) out.keep(replaced(nodes[i]), static_cast<int>(i));
        return out;
    }
};

} // namespace detail

/// The graph with ReLU for every ReLU6 (P1 section 2.3.2, P2 section 5): nothing is clipped above, and layers may be
/// equalized across it. A trained network becomes another function where values exceed 6; retrain, or measure.
template <graph_type G>
struct relu6_replaced : rewritten<detail::replace_relu6_pass, G> {};

/// The parameters that go with `relu6_replaced<G>`: the same ones.
template <graph_type G>
parameters<relu6_replaced<G>> replace_relu6(const parameters<G>& before) {
    return {before.layers};
}

/// The same for a network that is data.
inline network_data replace_relu6(network_data network) {
    for (node& n : network.nodes) n = detail::replace_relu6_pass::replaced(n);
    return network;
}

} // namespace statiq
