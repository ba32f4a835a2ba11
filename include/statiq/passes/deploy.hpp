// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/passes/fuse_activations.hpp>
#include <statiq/passes/reparameterize.hpp>

#include <cstddef>
#include <optional>

namespace statiq {

/// A trained graph as it is deployed: branches merged, batch norm folded, activations fused. Still float, same
/// function.
template <graph_type G>
struct deployed : activations_fused<batch_norm_folded<branches_merged<G>>> {
    using source = G;
    /// Of each node, the trained node whose value it computes.
    static constexpr auto origin = [] {
        using merged = branches_merged<G>;
        using folded = batch_norm_folded<merged>;
        auto origins = activations_fused<folded>::origin;
        for (int& index : origins)
            index = merged::origin[static_cast<std::size_t>(folded::origin[static_cast<std::size_t>(index)])];
        return origins;
    }();
};

/// What may be repaired on the way.
struct deployment {
    std::optional<zero_variance_repair> repair_zero_variance{};
};

/// The deployed form of trained parameters.
template <graph_type G>
parameters<deployed<G>> deploy(const parameters<G>& trained, const deployment& options = {}) {
    detail::require_sizes(G::nodes, trained.layers);
    const auto& repair = options.repair_zero_variance;
    parameters<deployed<G>> out;
    out.layers = fuse_activations(fold_batch_norm(merge_branches(trained, repair), repair)).layers;
    return out;
}

} // namespace statiq
