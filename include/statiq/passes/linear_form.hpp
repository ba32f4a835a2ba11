// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/operations/average_pool.hpp>
#include <statiq/operations/batch_norm.hpp>
#include <statiq/operations/convolution.hpp>
#include <statiq/operations/pad.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>

namespace statiq {

/// Why a sum of branches is not one convolution.
enum class merge_obstacle : std::uint8_t {
    none,
    nonlinear,   ///< the branches have no layer in common of which all are linear: a layer between is not
    read_inside, ///< somebody else reads a layer inside a branch, which therefore has to stay
    output,      ///< a layer inside a branch is an output of the network
    strides,     ///< branches step by unequal strides
    groups,      ///< convolutions of unequal groups
    pool_pads,   ///< an average pool reaches beyond the image, where it divides by fewer taps
    border,      ///< a layer pads what an earlier one of its branch puts other values than zero beside
    formats,     ///< `with<...>` chose unequal numbers for parts of the sum
    products     ///< the one convolution would need more products than the branches do
};

/// The first thing that keeps a sum from being merged: in which layer, and the numbers that are unequal.
struct merge_refusal {
    merge_obstacle why = merge_obstacle::none;
    int node = -1; ///< index of the layer at fault
    std::array<std::int64_t, 2> numbers{};
};

namespace detail {

/// What a run of linear layers computes of its source: a convolution with `groups` and maybe a bias. `groups` is 0
/// where no convolution is among them: identity, batch norm, padding and pools treat each channel by itself, which is a
/// convolution of any number of groups.
struct linear_form {
    convolution_shape shape{};
    bool has_bias = false;
    std::int64_t products = 0; ///< of the layers it stands for, in one inference
    number_format weight{};    ///< of its convolutions
    bool chosen_weight = false;
};

/// One axis of a window: taps at input positions `out * stride - pad + k * dilation`, k below `taps`.
struct window_axis {
    int in = 0;
    int out = 0;
    int taps = 1;
    int stride = 1;
    int dilation = 1;
    int pad = 0;

    [[nodiscard]] constexpr int reach() const { return (taps - 1) * dilation; }
    /// The first position read, and the last.
    [[nodiscard]] constexpr int first() const { return -pad; }
    [[nodiscard]] constexpr int last() const { return (out - 1) * stride - pad + reach(); }
    [[nodiscard]] constexpr bool stays_inside() const { return first() >= 0 && last() < in; }
    /// Whether its output at `position`, which may lie beyond its ends, reads no value of the image.
    [[nodiscard]] constexpr bool sees_nothing_at(int position) const {
        for (int k = 0; k < taps; ++k) {
            const int read = position * stride - pad + k * dilation;
            if (read >= 0 && read < in) return false;
        }
        return true;
    }
};

constexpr window_axis rows_of(const convolution_shape& s) {
    return {s.in.height,          s.out.height,           s.over.kernel_height,
            s.over.stride_height, s.over.dilation_height, s.over.pad_top};
}
constexpr window_axis columns_of(const convolution_shape& s) {
    return {s.in.width, s.out.width, s.over.kernel_width, s.over.stride_width, s.over.dilation_width, s.over.pad_left};
}
constexpr window window_of(const window_axis& rows, const window_axis& columns) {
    return {rows.taps,     columns.taps,     rows.stride, columns.stride,
            rows.dilation, columns.dilation, rows.pad,    columns.pad};
}

/// Taps at multiples of `step`, 0 for a single one, from -pad over `reach`.
constexpr window_axis axis_of(int in, int out, int stride, int pad, int reach, int step) {
    return {in, out, step == 0 ? 1 : reach / step + 1, stride, step == 0 ? 1 : step, pad};
}
constexpr int step_of(const window_axis& axis) { return axis.taps > 1 ? axis.dilation : 0; }

/// First one window, then another: tap k of the second reads the first at `k`, whose taps lie around stride * k.
constexpr window_axis in_sequence(const window_axis& first, const window_axis& then) {
    return axis_of(first.in, then.out, first.stride * then.stride, first.pad + first.stride * then.pad,
                   first.reach() + first.stride * then.reach(), std::gcd(step_of(first), first.stride * step_of(then)));
}

/// Whether `then` after `first` reads what one window would: the second layer takes zeros from beyond the ends of the
/// first one's output, so there, computed rather than padded, the first must see nothing of the image.
constexpr bool pads_zeros(const window_axis& first, const window_axis& then) {
    for (int p = then.first(); p < 0; ++p)
        if (!first.sees_nothing_at(p)) return false;
    for (int p = then.in; p <= then.last(); ++p)
        if (!first.sees_nothing_at(p)) return false;
    return true;
}

/// The smallest window that holds the taps of both: where a 1 x 1 without padding stands in a 3 x 3 with padding 1, and
/// everything like it, follows from both reading position `out * stride - pad + k * dilation`.
constexpr window_axis united(const window_axis& a, const window_axis& b) {
    const int pad = (std::max)(a.pad, b.pad);
    const int reach = (std::max)(a.reach() - a.pad, b.reach() - b.pad) + pad;
    const int step = std::gcd(std::gcd(step_of(a), step_of(b)), a.pad - b.pad);
    return axis_of(a.in, a.out, a.stride, pad, reach, step);
}

constexpr int united_groups(int a, int b) { return a == 0 ? b : a; }

/// The shape with its groups as a convolution has them.
constexpr convolution_shape resolved(convolution_shape shape) {
    if (shape.groups == 0) shape.groups = shape.in.channels;
    return shape;
}

/// The shape of `then` after `first`, and of a sum of two forms.
constexpr convolution_shape in_sequence(const convolution_shape& first, const convolution_shape& then) {
    return {first.in, then.out,
            window_of(in_sequence(rows_of(first), rows_of(then)), in_sequence(columns_of(first), columns_of(then))),
            united_groups(first.groups, then.groups)};
}
constexpr convolution_shape united(const convolution_shape& a, const convolution_shape& b) {
    return {a.in, a.out, window_of(united(rows_of(a), rows_of(b)), united(columns_of(a), columns_of(b))),
            united_groups(a.groups, b.groups)};
}

/// What a single layer computes of its input; nothing where it is not linear (or is a sum, which is no single layer).
constexpr std::optional<linear_form> form_of(const node& n) {
    if (n.clamp.bounds()) return std::nullopt;
    linear_form form{.shape = {.in = n.in, .out = n.out, .over = n.over, .groups = 0}};
    if (n.is<operations::convolution>()) {
        form.shape.groups = n.groups;
        form.has_bias = n.has_bias;
        form.products = static_cast<std::int64_t>(n.out.size()) * n.convolution().reduction();
        form.weight = n.numbers.weight;
        form.chosen_weight = n.numbers.chosen_weight;
        return form;
    }
    if (n.is<operations::batch_norm>()) {
        form.shape.over = {};
        form.has_bias = true;
        form.products = static_cast<std::int64_t>(n.out.size());
        return form;
    }
    if (n.is<operations::average_pool>()) {
        form.products = static_cast<std::int64_t>(n.out.size()) * n.over.taps();
        return form;
    }
    if (n.is<operations::pad>()) return form;
    return std::nullopt;
}

} // namespace detail

} // namespace statiq
