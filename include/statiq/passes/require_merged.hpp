// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/diagnosis.hpp>
#include <statiq/operations/add.hpp>
#include <statiq/passes/reparameterize.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace statiq {

// Why a sum is no convolution, as types: the sum's name, the layer at fault, the numbers that are unequal.
template <class Sum, class Layer>
struct layer_is_not_linear : rejection {};
template <class Sum, class Layer, std::int64_t Readers, std::int64_t ReadersInside>
struct layer_is_read_elsewhere : rejection {};
template <class Sum, class Layer>
struct layer_is_an_output : rejection {};
template <class Sum, class Layer, std::int64_t Stride, std::int64_t OtherStride>
struct stride_mismatch : rejection {};
template <class Sum, class Layer, std::int64_t Groups, std::int64_t OtherGroups>
struct unequal_groups : rejection {};
template <class Sum, class Layer>
struct average_pool_leaves_image : rejection {};
template <class Sum, class Layer>
struct padding_beside_bias : rejection {};
template <class Sum, class Layer, std::int64_t Bits, std::int64_t OtherBits>
struct unequal_formats : rejection {};
template <class Sum, class Layer, std::int64_t ProductsMerged, std::int64_t ProductsNow>
struct merging_costs_more : rejection {};

/// Refuses a graph with the first sum that cannot be merged.
template <class Verdict>
struct check_merged {
    static_assert(Verdict::accepted, "statiq: a sum cannot be merged; the type says which, why, and the numbers");
    static constexpr bool passed = true;
};

namespace detail {

/// The first sum in a scope that stays one, and why.
struct unmerged_sum {
    label sum{};
    label layer{};
    merge_refusal refusal{};
};

template <graph_type G>
constexpr unmerged_sum first_unmerged(const label& scope) {
    using merged = branches_merged<G>;
    const auto readers = count_readers(G::nodes);
    for (std::size_t i = 0; i < node_count<merged>; ++i) {
        const node& n = merged::nodes[i];
        if (!n.is<operations::add>() || !n.name.is_in(scope)) continue;
        const merge_refusal refusal = plan_merge(G::nodes, readers, merged::origin[i]).refusal;
        return {n.name, G::nodes[static_cast<std::size_t>(refusal.node)].name, refusal};
    }
    return {};
}

template <unmerged_sum First>
constexpr auto merge_verdict_of() {
    using sum = spelt<First.sum>;
    using layer = spelt<First.layer>;
    constexpr merge_obstacle why = First.refusal.why;
    constexpr std::int64_t a = First.refusal.numbers[0];
    constexpr std::int64_t b = First.refusal.numbers[1];
    if constexpr (why == merge_obstacle::none)
        return sound{};
    else if constexpr (why == merge_obstacle::nonlinear)
        return layer_is_not_linear<sum, layer>{};
    else if constexpr (why == merge_obstacle::read_inside)
        return layer_is_read_elsewhere<sum, layer, a, b>{};
    else if constexpr (why == merge_obstacle::output)
        return layer_is_an_output<sum, layer>{};
    else if constexpr (why == merge_obstacle::strides)
        return stride_mismatch<sum, layer, a, b>{};
    else if constexpr (why == merge_obstacle::groups)
        return unequal_groups<sum, layer, a, b>{};
    else if constexpr (why == merge_obstacle::pool_pads)
        return average_pool_leaves_image<sum, layer>{};
    else if constexpr (why == merge_obstacle::border)
        return padding_beside_bias<sum, layer>{};
    else if constexpr (why == merge_obstacle::formats)
        return unequal_formats<sum, layer, a, b>{};
    else
        return merging_costs_more<sum, layer, a, b>{};
}

} // namespace detail

/// True where no sum is left of `branches_merged<G>` in a scope (by default the whole network); elsewhere it does not
/// compile, and the message carries a type like `stride_mismatch<layer_name<'b','.','a','d','d'>, …, 2, 1>`:
///
/// <!-- with: merged_network -->
/// ```cpp
/// static_assert(require_merged<net>);
/// static_assert(require_merged<net, "backbone">);
/// ```
template <graph_type G, label Scope = label{}>
inline constexpr bool require_merged =
    check_merged<decltype(detail::merge_verdict_of<detail::first_unmerged<G>(Scope)>())>::passed;

} // namespace statiq
