// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/analyze/compare.hpp>
#include <statiq/analyze/report.hpp>
#include <statiq/analyze/table.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/operations/add.hpp>
#include <statiq/passes/quantize_parameters.hpp>
#include <statiq/passes/reparameterize.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace statiq {

/// One branch of a sum that is merged: what its batch norm multiplies by, gamma / sqrt(epsilon + sigma^2) of each
/// output channel (P4 (4)(7), figure 4). An identity's factor stands on the diagonal of the merged kernel as it is,
/// because there are no weights that it could multiply: where the input hardly varies, it is what the kernel consists
/// of.
struct branch_scale {
    std::string layer; ///< the merged convolution
    std::string norm;  ///< the branch's batch norm
    std::vector<double> factors;

    [[nodiscard]] double largest() const {
        double most = 0;
        for (const double f : factors) most = (std::max)(most, std::abs(f));
        return most;
    }
    [[nodiscard]] double mean() const {
        double sum = 0;
        for (const double f : factors) sum += std::abs(f);
        return sum / static_cast<double>(factors.size());
    }
};

namespace detail {

/// A merged convolution of `branches_merged<G>`: its place there, and in G its source, its sum and its last layer.
struct merged_place {
    std::size_t merged = 0;
    std::size_t source = 0;
    std::size_t sum = 0;
    std::size_t last = 0;
};

template <graph_type G>
std::vector<merged_place> merged_places() {
    using merged = branches_merged<G>;
    std::vector<merged_place> places;
    for (std::size_t i = 0; i < node_count<merged>; ++i) {
        const auto last = static_cast<std::size_t>(merged::origin[i]);
        if (merged::nodes[i].facts == G::nodes[last].facts) continue;
        std::size_t sum = last; // behind the batch norms that follow it
        while (!G::nodes[sum].template is<operations::add>()) sum = static_cast<std::size_t>(G::nodes[sum].input());
        const auto input = static_cast<std::size_t>(merged::nodes[i].input());
        places.push_back({i, static_cast<std::size_t>(merged::origin[input]), sum, last});
    }
    return places;
}

} // namespace detail

/// The factors of every batch norm that merging absorbs, branch by branch.
template <graph_type G>
std::vector<branch_scale> branch_scales(const parameters<G>& trained) {
    std::vector<branch_scale> lines;
    for (const detail::merged_place& place : detail::merged_places<G>())
        for (std::size_t i = place.source + 1; i <= place.last; ++i)
            if (G::nodes[i].traits().normalizes)
                lines.push_back({std::string(branches_merged<G>::nodes[place.merged].name.view()),
                                 std::string(G::nodes[i].name.view()),
                                 batch_norm_scale(trained[i], G::nodes[i].epsilon)});
    return lines;
}

/// The weights of one merged convolution in integers: rounded branch by branch and added, or added and rounded once.
struct branch_rounding {
    std::string layer;
    signal_to_noise separate;
    signal_to_noise merged;
};

namespace detail {

/// The map with its weights rounded to a format, scales chosen as for quantization.
inline linear_map rounded_map(linear_map map, const number_format& format) {
    const std::vector<float> weight(map.weight.begin(), map.weight.end());
    const std::vector<double> any_scale(static_cast<std::size_t>(map.shape.out.channels), 0.0);
    const auto quantizers = choose_weight_quantizers(weight_ranges(weight, map.shape), any_scale, format);
    for_each_weight(map.shape, [&](const weight_place& w) {
        const weight_quantizer& quantizer = quantizers[w.channel()];
        map.weight[w.index] = static_cast<double>(dequantize(quantizer(weight[w.index]), quantizer.map()));
    });
    return map;
}

} // namespace detail

/// What merging before quantizing does to the weights' error: each branch with its batch norm folded has a scale of its
/// own, and an identity without weights none to lose; merged, one scale has to do for the sum of all.
/// @tparam Weight the number type of weights; per tensor or per channel
template <number_type Weight, graph_type G>
std::vector<branch_rounding> compare_branch_rounding(const parameters<G>& trained) {
    std::vector<branch_rounding> lines;
    for (const detail::merged_place& place : detail::merged_places<G>()) {
        const detail::linear_map whole = detail::map_between(trained, place.source, place.last, std::nullopt);
        const detail::linear_map rounded = detail::rounded_map(whole, Weight::format);
        detail::linear_map added = detail::zero_map(whole.form);
        const node& sum = G::nodes[place.sum];
        for (std::size_t k = 0; k < static_cast<std::size_t>(sum.input_count); ++k) {
            const auto end = static_cast<std::size_t>(sum.inputs[k]);
            detail::linear_map branch = detail::map_between(trained, place.source, end, std::nullopt);
            for (std::size_t norm = place.sum + 1; norm <= place.last; ++norm)
                if (G::nodes[norm].traits().normalizes)
                    branch = detail::in_sequence(branch, detail::map_of(G::nodes[norm], trained[norm], std::nullopt));
            const bool has_weights = end != place.source;
            detail::accumulate(added, has_weights ? detail::rounded_map(branch, Weight::format) : branch);
        }
        branch_rounding line{std::string(branches_merged<G>::nodes[place.merged].name.view()), {}, {}};
        for (std::size_t w = 0; w < whole.weight.size(); ++w) {
            line.separate.add(static_cast<float>(whole.weight[w]), static_cast<float>(added.weight[w]));
            line.merged.add(static_cast<float>(whole.weight[w]), static_cast<float>(rounded.weight[w]));
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

/// As a table: layer, batch norm, mean and greatest factor.
inline std::string report(const std::vector<branch_scale>& lines) {
    table rows({"layer", "batch norm", "mean factor", "greatest"});
    for (const branch_scale& line : lines)
        rows.add({line.layer, line.norm, fixed(line.mean(), 3), fixed(line.largest(), 3)});
    return rows.text();
}

/// As a table: layer, and the weights' SQNR in dB when rounded apart and together.
inline std::string report(const std::vector<branch_rounding>& lines) {
    table rows({"layer", "separate dB", "merged dB"});
    for (const branch_rounding& line : lines)
        rows.add({line.layer, decibels(line.separate.sqnr()), decibels(line.merged.sqnr())});
    return rows.text();
}

} // namespace statiq
