// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/parameters.hpp>
#include <statiq/operations/convolution.hpp>
#include <statiq/passes/branch_reader.hpp>
#include <statiq/passes/linear_map.hpp>
#include <statiq/passes/rewrite.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace statiq {

namespace detail {

/// Every sum of linear branches over one layer becomes a convolution. The outermost sums are looked at first: what is
/// merged into one of them needs no look of its own.
struct merge_branches_pass {
    using adds = operation_list<operations::convolution>;

    template <std::size_t Size>
    static constexpr auto run(const node_array<Size>& nodes) {
        const auto readers = count_readers(nodes);
        std::array<bool, Size> absorbed{};
        std::array<node, Size> merged{};
        for (std::size_t i = Size; i-- > 0;) {
            if (!is_plain_sum(nodes[i]) || absorbed[i]) continue;
            const auto plan = plan_merge(nodes, readers, static_cast<int>(i));
            if (!plan.merges()) continue;
            for (auto k = static_cast<std::size_t>(plan.source); k <= static_cast<std::size_t>(plan.last); ++k)
                absorbed[k] = absorbed[k] || plan.inside[k];
            merged[static_cast<std::size_t>(plan.last)] = convolution_of(nodes, plan, nodes[i].name);
        }
        rewriting<Size> out;
        for (std::size_t i = 0; i < Size; ++i) {
            if (merged[i].facts != nullptr) {
                merged[i].name = short_name(out, nodes, absorbed, merged[i].name);
                out.keep(merged[i], static_cast<int>(i));
            } else if (!absorbed[i]) {
                out.keep(nodes[i], static_cast<int>(i));
            }
        }
        return out;
    }

  private:
    template <std::size_t Size>
    static constexpr node convolution_of(const node_array<Size>& nodes, const merge_plan<Size>& plan,
                                         const label& name) {
        const convolution_shape shape = resolved(plan.form.shape);
        const node& last = nodes[static_cast<std::size_t>(plan.last)];
        node n{.facts = &facts_of<operations::convolution>,
               .input_count = 1,
               .in = shape.in,
               .out = shape.out,
               .over = shape.over,
               .groups = shape.groups,
               .has_bias = plan.form.has_bias,
               .output = last.output};
        n.inputs[0] = plan.source;
        n.numbers = {plan.form.chosen_weight, last.numbers.chosen_activation, plan.form.weight,
                     last.numbers.activation};
        n.name = name;
        return n;
    }

    /// A sum in a scope, "block.add", becomes the scope's convolution and takes its name, as if "block" had been
    /// written with that convolution alone. Where another layer has the name, the sum keeps its own.
    template <std::size_t Size>
    static constexpr label short_name(rewriting<Size>& out, const node_array<Size>& nodes,
                                      const std::array<bool, Size>& absorbed, const label& name) {
        const auto dot = name.view().rfind('.');
        if (dot == std::string_view::npos) return name;
        const label scope = label{} + name.view().substr(0, dot);
        for (std::size_t i = 0; i < Size; ++i)
            if (!absorbed[i] && nodes[i].name == scope) return name;
        for (int i = 0; i < out.count; ++i)
            if (out.at(i).name == scope) return name;
        return scope;
    }
};

} // namespace detail

/// The graph with each sum of linear branches as the one convolution that it is (P5 section 5): branches of k x k and
/// 1 x 1 convolutions (of any dilation, of one stride and number of groups, depthwise too), of average pools that stay
/// inside the image, of padding and of nothing at all, each with or without batch norm, in sequence where that is
/// exact, sums within sums, and a batch norm after the addition. The convolution is named after the scope of the sum.
///
/// A sum that is no convolution stays as it is, and so does one whose convolution would need more products than its
/// branches; `require_merged` (passes/require_merged.hpp) says which, and why. Sequences outside sums stay: depthwise
/// and pointwise, say, are two layers on purpose.
template <graph_type G>
struct branches_merged : rewritten<detail::merge_branches_pass, G> {};

/// The parameters that go with `branches_merged<G>` (P4 (7), P5 (3)(4)). Computed in double, rounded once.
/// @param repair how batch norms of dead channels are scaled; as `fold_batch_norm`.
template <graph_type G>
parameters<branches_merged<G>> merge_branches(const parameters<G>& trained,
                                              std::optional<zero_variance_repair> repair = std::nullopt) {
    using merged = branches_merged<G>;
    parameters<merged> out;
    for (std::size_t i = 0; i < node_count<merged>; ++i) {
        const node& n = merged::nodes[i];
        const auto last = static_cast<std::size_t>(merged::origin[i]);
        if (n.facts == G::nodes[last].facts) {
            out[i] = trained[last];
            continue;
        }
        const auto source = static_cast<std::size_t>(merged::origin[static_cast<std::size_t>(n.input())]);
        const detail::linear_map map = detail::map_between(trained, source, last, repair);
        out[i].weight.assign(map.weight.begin(), map.weight.end());
        if (n.has_bias) out[i].bias.assign(map.bias.begin(), map.bias.end());
    }
    return out;
}

} // namespace statiq
