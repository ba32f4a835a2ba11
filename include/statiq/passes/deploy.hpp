// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/passes/fuse_activations.hpp>

#include <optional>

namespace statiq {

/// A trained graph as it is deployed: batch norm folded, activations fused. Still float, same function.
template <graph_type G>
struct deployed : activations_fused<batch_norm_folded<G>> {
    using trained = G;
};

/// What may be repaired on the way.
struct deployment {
    std::optional<zero_variance_repair> repair_zero_variance{};
};

/// The deployed form of trained parameters.
template <graph_type G>
parameters<deployed<G>> deploy(const parameters<G>& trained, const deployment& options = {}) {
    parameters<deployed<G>> out;
    out.layers = fuse_activations(fold_batch_norm(trained, options.repair_zero_variance)).layers;
    return out;
}

} // namespace statiq
