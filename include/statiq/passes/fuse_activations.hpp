// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/parameters.hpp>
#include <statiq/passes/rewrite.hpp>

#include <cstddef>

namespace statiq {

namespace detail {

/// A clamp moves into its input's node if it is the only reader and the operation there takes clamps (`takes_clamp`):
/// nothing is rounded between the two (P2 figures 5 to 7).
struct fuse_activations_pass {
    static constexpr bool takes_activation(const node& n) {
        return n.traits().takes_clamp && !n.traits().normalizes && !n.clamp.bounds();
    }

    template <std::size_t Size>
    static constexpr auto run(const node_array<Size>& nodes) {
        const auto readers = count_readers(nodes);
        rewriting<Size> out;
        for (std::size_t i = 0; i < Size; ++i) {
            const node& n = nodes[i];
            const int index = static_cast<int>(i);
            if (n.traits().clamps && readers[static_cast<std::size_t>(n.input())] == 1) {
                const int producer = out.moved[static_cast<std::size_t>(n.input())];
                if (takes_activation(out.at(producer))) {
                    out.at(producer).clamp = n.clamp;
                    if (n.numbers.chosen_activation) {
                        out.at(producer).numbers.chosen_activation = true;
                        out.at(producer).numbers.activation = n.numbers.activation;
                    }
                    out.absorb(n, index, producer);
                    continue;
                }
            }
            out.keep(n, index);
        }
        return out;
    }
};

} // namespace detail

/// The graph with activations fused into their producers.
template <graph_type G>
struct activations_fused : rewritten<detail::fuse_activations_pass, G> {};

/// The parameters that go with `activations_fused<G>`: the same ones.
template <graph_type G>
parameters<activations_fused<G>> fuse_activations(const parameters<G>& before) {
    using fused = activations_fused<G>;
    parameters<fused> out;
    for (std::size_t i = 0; i < node_count<fused>; ++i) {
        auto from = static_cast<std::size_t>(fused::origin[i]);
        // An activation has no parameters: its producer's are the node's.
        if (fused::nodes[i].facts != G::nodes[from].facts) from = static_cast<std::size_t>(G::nodes[from].input());
        out[i] = before[from];
    }
    return out;
}

} // namespace statiq
