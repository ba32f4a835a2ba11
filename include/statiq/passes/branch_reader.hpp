// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/operations/add.hpp>
#include <statiq/operations/average_pool.hpp>
#include <statiq/passes/linear_form.hpp>
#include <statiq/passes/rewrite.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace statiq::detail {

/// A sum as the one convolution it is, or why it is none.
template <std::size_t Size>
struct merge_plan {
    int sum = -1;    ///< the addition
    int source = -1; ///< the layer whose output the convolution reads
    int last = -1;   ///< the layer whose value it computes: the sum, or the batch norm that follows it
    linear_form form{};
    std::array<bool, Size> inside{}; ///< the layers it stands for, `last` among them
    merge_refusal refusal{};

    [[nodiscard]] constexpr bool merges() const { return refusal.why == merge_obstacle::none; }
};

/// Reads a layer's value as a linear function of an earlier layer's.
template <std::size_t Size>
class branch_reader {
  public:
    constexpr branch_reader(const node_array<Size>& nodes, merge_plan<Size>& plan) : nodes_(nodes), plan_(plan) {}

    constexpr linear_form read(int index) {
        const node& n = at(index);
        if (index == plan_.source) return {.shape = {.in = n.out, .out = n.out, .over = {}, .groups = 0}};
        if (n.is<operations::add>()) {
            linear_form sum = read(n.inputs[0]);
            for (int k = 1; k < n.input_count; ++k)
                sum = united(index, sum, read(n.inputs[static_cast<std::size_t>(k)]));
            return sum;
        }
        const linear_form own = *form_of(n);
        if (n.is<operations::average_pool>() &&
            !(rows_of(own.shape).stays_inside() && columns_of(own.shape).stays_inside()))
            refuse(merge_obstacle::pool_pads, index);
        return in_sequence(index, read(n.input()), own);
    }

  private:
    [[nodiscard]] constexpr const node& at(int index) const { return nodes_[static_cast<std::size_t>(index)]; }
    constexpr void refuse(merge_obstacle why, int index, std::int64_t a = 0, std::int64_t b = 0) {
        if (plan_.merges()) plan_.refusal = {why, index, {a, b}};
    }

    constexpr linear_form joined(int index, const linear_form& a, const linear_form& b) {
        if (a.shape.groups != 0 && b.shape.groups != 0 && a.shape.groups != b.shape.groups)
            refuse(merge_obstacle::groups, index, a.shape.groups, b.shape.groups);
        // A form without convolutions has no weights that somebody could have chosen numbers for.
        const bool both = a.shape.groups != 0 && b.shape.groups != 0;
        if (both && (a.chosen_weight != b.chosen_weight || (a.chosen_weight && a.weight != b.weight)))
            refuse(merge_obstacle::formats, index, a.weight.bits, b.weight.bits);
        const linear_form& weighted = a.shape.groups != 0 ? a : b;
        return {.shape = {},
                .has_bias = a.has_bias || b.has_bias,
                .products = a.products + b.products,
                .weight = weighted.weight,
                .chosen_weight = weighted.chosen_weight};
    }

    constexpr linear_form united(int index, const linear_form& a, const linear_form& b) {
        const window& left = a.shape.over;
        const window& right = b.shape.over;
        if (left.stride_height != right.stride_height)
            refuse(merge_obstacle::strides, index, left.stride_height, right.stride_height);
        if (left.stride_width != right.stride_width)
            refuse(merge_obstacle::strides, index, left.stride_width, right.stride_width);
        linear_form sum = joined(index, a, b);
        sum.shape = detail::united(a.shape, b.shape);
        return sum;
    }

    /// `then` zero-pads the value of `first`. One convolution reads the image there instead: the same only where
    /// `first` has nothing to add (no bias, as of batch norm) and sees none of it.
    constexpr linear_form in_sequence(int index, const linear_form& first, const linear_form& then) {
        const window_axis rows = rows_of(then.shape);
        const window_axis columns = columns_of(then.shape);
        if (!(rows.stays_inside() && columns.stays_inside()) &&
            (first.has_bias || !pads_zeros(rows_of(first.shape), rows) ||
             !pads_zeros(columns_of(first.shape), columns)))
            refuse(merge_obstacle::border, index);
        linear_form whole = joined(index, first, then);
        whole.shape = detail::in_sequence(first.shape, then.shape);
        return whole;
    }

    const node_array<Size>& nodes_;
    merge_plan<Size>& plan_;
};

constexpr bool is_plain_sum(const node& n) { return n.is<operations::add>() && !n.clamp.bounds(); }

/// Finds the nearest layer that every way back from `plan.last` goes through, all layers on the way being linear, and
/// marks these: from the last to the first, each stands aside for its inputs until one layer alone is left.
template <std::size_t Size>
constexpr void find_source(const node_array<Size>& nodes, merge_plan<Size>& plan) {
    std::array<bool, Size> waiting{};
    waiting[static_cast<std::size_t>(plan.last)] = true;
    int count = 1;
    for (int i = plan.last; i >= 0; --i) {
        if (!waiting[static_cast<std::size_t>(i)]) continue;
        if (count == 1 && i < plan.sum) {
            plan.source = i;
            return;
        }
        const node& n = nodes[static_cast<std::size_t>(i)];
        if (!is_plain_sum(n) && !form_of(n)) {
            plan.refusal = {merge_obstacle::nonlinear, i};
            return;
        }
        --count;
        plan.inside[static_cast<std::size_t>(i)] = true;
        for (int k = 0; k < n.input_count; ++k) {
            bool& input = waiting[static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)])];
            if (!input) ++count;
            input = true;
        }
    }
}

/// The sum at `index` as a convolution of the nearest layer that all branches come from.
template <std::size_t Size>
constexpr merge_plan<Size> plan_merge(const node_array<Size>& nodes, const std::array<int, Size>& readers, int index) {
    // A batch norm after the addition is a part of the convolution.
    int last = index;
    while (readers[static_cast<std::size_t>(last)] == 1) {
        int next = last + 1;
        while (next < static_cast<int>(Size) && nodes[static_cast<std::size_t>(next)].input() != last) ++next;
        if (next == static_cast<int>(Size) || !nodes[static_cast<std::size_t>(next)].traits().normalizes) break;
        last = next;
    }

    merge_plan<Size> plan{.sum = index, .last = last};
    find_source(nodes, plan);
    if (!plan.merges()) return plan;
    plan.form = branch_reader<Size>(nodes, plan).read(last);
    if (!plan.merges()) return plan;

    const convolution_shape merged = resolved(plan.form.shape);
    const std::int64_t products = static_cast<std::int64_t>(merged.out.size()) * merged.reduction();
    if (products > plan.form.products) plan.refusal = {merge_obstacle::products, index, {products, plan.form.products}};
    for (auto i = static_cast<std::size_t>(plan.source) + 1; i < static_cast<std::size_t>(last); ++i) {
        if (!plan.inside[i]) continue;
        int read_inside = 0;
        for (std::size_t r = i + 1; r <= static_cast<std::size_t>(last); ++r)
            for (int k = 0; plan.inside[r] && k < nodes[r].input_count; ++k)
                if (nodes[r].inputs[static_cast<std::size_t>(k)] == static_cast<int>(i)) ++read_inside;
        if (nodes[i].output != 0)
            plan.refusal = {merge_obstacle::output, static_cast<int>(i), {}};
        else if (readers[i] != read_inside)
            plan.refusal = {merge_obstacle::read_inside, static_cast<int>(i), {readers[i], read_inside}};
        // What is merged has the numbers of the sum: another format for a part of it was meant to be seen.
        const layer_numbers& part = nodes[i].numbers;
        const layer_numbers& whole = nodes[static_cast<std::size_t>(last)].numbers;
        if (part.chosen_activation != whole.chosen_activation || part.activation != whole.activation)
            plan.refusal = {
                merge_obstacle::formats, static_cast<int>(i), {part.activation.bits, whole.activation.bits}};
    }
    return plan;
}

} // namespace statiq::detail
