// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/parameters.hpp>
#include <statiq/passes/rewrite.hpp>

#include <array>
#include <cstddef>

namespace statiq {

namespace detail {

/// Batch norms and activations that alone read a depthwise convolution, or what remains of one, disappear.
struct strip_depthwise_pass {
    template <std::size_t Size>
    static constexpr auto run(const node_array<Size>& nodes) {
        const auto readers = count_readers(nodes);
        rewriting<Size> out;
        for (std::size_t i = 0; i < Size; ++i) {
            const node& n = nodes[i];
            const bool goes = n.traits().normalizes || n.traits().clamps;
            if (goes && readers[static_cast<std::size_t>(n.input())] == 1) {
                const int before = out.moved[static_cast<std::size_t>(n.input())];
                if (out.at(before).is_depthwise()) {
                    out.absorb(n, static_cast<int>(i), before);
                    continue;
                }
            }
            out.keep(n, static_cast<int>(i));
        }
        return out;
    }
};

} // namespace detail

/// The quantization-friendly separable convolution (P1 section 3, figure 1c) made of the usual one: nothing stands
/// between a depthwise convolution and what follows it, so no batch norm can stretch the range of its weights. It is
/// another function, to be trained: for a trained graph, before batch norm is folded.
template <graph_type G>
struct depthwise_stripped : rewritten<detail::strip_depthwise_pass, G> {};

/// Parameters to begin the training of `depthwise_stripped<G>` with: those of the layers that remain.
template <graph_type G>
parameters<depthwise_stripped<G>> strip_depthwise(const parameters<G>& before) {
    using stripped = depthwise_stripped<G>;
    parameters<stripped> to;
    for (std::size_t i = 0; i < node_count<stripped>; ++i) {
        auto from = static_cast<std::size_t>(stripped::origin[i]);
        while (G::nodes[from].name != stripped::nodes[i].name) from = static_cast<std::size_t>(G::nodes[from].input());
        to[i] = before[from];
    }
    return to;
}

} // namespace statiq
