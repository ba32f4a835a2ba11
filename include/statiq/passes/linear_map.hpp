// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/parameters.hpp>
#include <statiq/operations/add.hpp>
#include <statiq/passes/fold_batch_norm.hpp>
#include <statiq/passes/linear_form.hpp>
#include <statiq/tensor/weight_walk.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace statiq::detail {

/// A convolution's numbers in double: what linear layers compute together. Rounded to float once, at the end.
struct linear_map {
    convolution_shape form{};   ///< with groups 0 where it treats each channel by itself
    convolution_shape shape{};  ///< the same with that many groups
    std::vector<double> weight; ///< in natural order
    std::vector<double> bias;   ///< [out]; zeros where there is none
};

/// Calls visit(o, tap row, tap column, c, w) for every weight; c counts among all input channels.
template <class Visit>
void for_each_weight(const linear_map& map, Visit&& visit) {
    const convolution_shape& s = map.shape;
    for_each_weight(s, [&](const weight_place& w) {
        const int first = w.output / s.out_channels_per_group() * s.in_channels_per_group();
        visit(w.output, w.tap / s.over.kernel_width, w.tap % s.over.kernel_width, first + w.input, map.weight[w.index]);
    });
}

/// A map of this shape, all zero.
inline linear_map zero_map(const convolution_shape& form) {
    const convolution_shape shape = resolved(form);
    return {form, shape, std::vector<double>(shape.weight_count()),
            std::vector<double>(static_cast<std::size_t>(shape.out.channels))};
}

/// The weight of output channel o from input channel c (of all) at the input position (row, column) that the window
/// reads for output pixel (0, 0).
inline double& weight_at(linear_map& map, int o, int row, int column, int c) {
    const window& over = map.shape.over;
    const int tap = (row + over.pad_top) / over.dilation_height * over.kernel_width +
                    (column + over.pad_left) / over.dilation_width;
    return map.weight[map.shape.weight_index(o, tap, c % map.shape.in_channels_per_group())];
}

/// What a single linear layer computes of its input.
inline linear_map map_of(const node& n, const layer_parameters& from, std::optional<zero_variance_repair> repair) {
    linear_map map = zero_map(form_of(n)->shape);
    if (n.is<operations::convolution>()) {
        map.weight.assign(from.weight.begin(), from.weight.end());
        if (n.has_bias) map.bias.assign(from.bias.begin(), from.bias.end());
    } else if (n.is<operations::batch_norm>()) {
        map.weight = batch_norm_scale(from, n.epsilon, repair);
        for (std::size_t c = 0; c < map.bias.size(); ++c)
            map.bias[c] = static_cast<double>(from.beta[c]) - map.weight[c] * static_cast<double>(from.mean[c]);
    } else if (n.is<operations::average_pool>()) {
        map.weight.assign(map.weight.size(), 1.0 / n.over.taps());
    } else { // padding: the identity on what is there
        map.weight.assign(map.weight.size(), 1.0);
    }
    return map;
}

/// `then` after `first`.
inline linear_map in_sequence(const linear_map& first, const linear_map& then) {
    linear_map whole = zero_map(in_sequence(first.form, then.form));
    const window& inner = first.shape.over;
    const window& outer = then.shape.over;
    const int per_group = first.shape.in_channels_per_group();
    whole.bias = then.bias;
    for_each_weight(then, [&](int o, int ky, int kx, int middle, double w) {
        if (w == 0) return;
        whole.bias[static_cast<std::size_t>(o)] += w * first.bias[static_cast<std::size_t>(middle)];
        const int top = (ky * outer.dilation_height - outer.pad_top) * inner.stride_height - inner.pad_top;
        const int left = (kx * outer.dilation_width - outer.pad_left) * inner.stride_width - inner.pad_left;
        const int channel = middle / first.shape.out_channels_per_group() * per_group;
        for_each_weight_of_output(first.shape, middle, [&](const weight_place& v) {
            weight_at(whole, o, top + v.tap / inner.kernel_width * inner.dilation_height,
                      left + v.tap % inner.kernel_width * inner.dilation_width, channel + v.input) +=
                w * first.weight[v.index];
        });
    });
    return whole;
}

/// Adds `term` to a sum whose window holds it.
inline void accumulate(linear_map& sum, const linear_map& term) {
    const window& over = term.shape.over;
    for_each_weight(term, [&](int o, int ky, int kx, int c, double w) {
        weight_at(sum, o, ky * over.dilation_height - over.pad_top, kx * over.dilation_width - over.pad_left, c) += w;
    });
    for (std::size_t o = 0; o < sum.bias.size(); ++o) sum.bias[o] += term.bias[o];
}

/// Node `index` of a graph as a linear function of node `source`, as `branch_reader` has found it to be.
template <graph_type G>
linear_map map_between(const parameters<G>& from, std::size_t source, std::size_t index,
                       std::optional<zero_variance_repair> repair) {
    const node& n = G::nodes[index];
    if (index == source) {
        linear_map same = zero_map({.in = n.out, .out = n.out, .over = {}, .groups = 0});
        same.weight.assign(same.weight.size(), 1.0);
        return same;
    }
    const auto input = [&](int k) { return static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)]); };
    if (!n.is<operations::add>())
        return in_sequence(map_between(from, source, input(0), repair), map_of(n, from[index], repair));
    std::vector<linear_map> terms;
    for (int k = 0; k < n.input_count; ++k) terms.push_back(map_between(from, source, input(k), repair));
    convolution_shape whole = terms[0].form;
    for (const linear_map& term : terms) whole = united(whole, term.form);
    linear_map sum = zero_map(whole);
    for (const linear_map& term : terms) accumulate(sum, term);
    return sum;
}

} // namespace statiq::detail
