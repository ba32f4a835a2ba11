// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/diagnosis.hpp>
#include <statiq/graph/layer_spec.hpp>
#include <statiq/graph/node.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace statiq::detail {

/// Values of a tensor, weights of a layer and rows of a padded image are counted in ints.
inline constexpr std::int64_t most_counted = (std::numeric_limits<std::int32_t>::max)();

/// The product of counts; what int64 does not hold is its largest number.
template <class... Counts>
constexpr std::int64_t product(Counts... counts) {
    std::int64_t total = 1;
    const auto multiply = [&total](std::int64_t by) {
        constexpr auto most = (std::numeric_limits<std::int64_t>::max)();
        total = by != 0 && total > most / by ? most : total * by;
    };
    (multiply(counts), ...);
    return total;
}
constexpr std::int64_t product(const extents& of) { return product(of.height, of.width, of.channels); }

/// For extents of a graph that has been refused.
constexpr int as_int(std::int64_t count) { return static_cast<int>((std::min)(count, most_counted)); }

/// One axis of a window.
struct axis {
    std::int64_t out = 0;
    std::int64_t pad_before = 0;
    std::int64_t padded = 0; ///< the input's extent with its padding
    std::int64_t reach = 0;  ///< the window's extent with its dilation
};

constexpr axis infer_axis(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                          padding_rule rule, std::int64_t before, std::int64_t after) {
    const std::int64_t reach = (kernel - 1) * dilation + 1;
    if (rule == padding_rule::same) {
        const std::int64_t out = (in + stride - 1) / stride;
        const std::int64_t total = (std::max)(std::int64_t{0}, (out - 1) * stride + reach - in);
        return {out, total / 2, in + total, reach};
    }
    const std::int64_t padded = rule == padding_rule::valid ? in : in + before + after;
    return {padded < reach ? 0 : (padded - reach) / stride + 1, padded - in == 0 ? 0 : before, padded, reach};
}

/// Infers a layer's shape. @param n its input's extents are known. @param s the layer, completed.
/// @param report report(defect, expected, got), called for everything that does not fit
template <class Report>
struct shape_inference {
    node& n;
    const layer_spec& s;
    const layer_defaults& defaults;
    const Report& report;

    constexpr void run() const {
        n.out = n.in;
        switch (s.kind) {
        case operation::input:
            n.in = n.out = s.shape;
            break;
        case operation::convolution:
        case operation::max_pool:
        case operation::average_pool:
            move_window();
            if (s.kind == operation::convolution) choose_channels();
            break;
        case operation::dense:
            require_flat();
            n.out = {1, 1, s.out_channels};
            n.has_bias = s.bias != bias_rule::never;
            require_counted(product(s.out_channels, product(n.in)));
            break;
        case operation::softmax:
            require_flat();
            break;
        case operation::reshape:
            n.out = s.shape == extents{0, 0, 0} ? extents{1, 1, as_int(product(n.in))} : s.shape;
            require_counted(product(n.out));
            if (product(n.out) != product(n.in)) report(defect::size, {product(n.in)}, {product(n.out)});
            break;
        case operation::broadcast: {
            n.out = s.shape;
            const auto repeats = [](int from, int to) { return from == to || from == 1; };
            if (!repeats(n.in.height, n.out.height) || !repeats(n.in.width, n.out.width) ||
                !repeats(n.in.channels, n.out.channels))
                report(defect::broadcast, {n.out.height, n.out.width, n.out.channels},
                       {n.in.height, n.in.width, n.in.channels});
            break;
        }
        case operation::transpose: {
            const std::array<int, 3> from{n.in.height, n.in.width, n.in.channels};
            const auto axis_extent = [&](std::size_t i) { return from[static_cast<std::size_t>(s.axes[i])]; };
            n.axes = s.axes;
            n.out = {axis_extent(0), axis_extent(1), axis_extent(2)};
            break;
        }
        case operation::pad:
            n.over = {.pad_top = s.pad_top, .pad_left = s.pad_left};
            set_pixels(std::int64_t{n.in.height} + s.pad_top + s.pad_bottom,
                       std::int64_t{n.in.width} + s.pad_left + s.pad_right);
            break;
        case operation::upsample:
            set_pixels(product(n.in.height, s.rows), product(n.in.width, s.columns));
            break;
        case operation::global_average_pool:
            n.out = {1, 1, n.in.channels};
            break;
        default:
            break;
        }
        require_counted(product(n.out));
    }

  private:
    constexpr void require_counted(std::int64_t count) const {
        if (count > most_counted) report(defect::count, {most_counted}, {count});
    }
    constexpr void require_flat() const {
        if (n.in.height != 1 || n.in.width != 1) report(defect::flat, {}, {n.in.height, n.in.width, n.in.channels});
    }
    constexpr void set_pixels(std::int64_t height, std::int64_t width) const {
        require_counted(product(height, width, n.in.channels));
        n.out = {as_int(height), as_int(width), n.in.channels};
    }

    constexpr void move_window() const {
        const int stride_height = s.stride_height == 0 ? s.kernel_height : s.stride_height;
        const int stride_width = s.stride_width == 0 ? s.kernel_width : s.stride_width;
        const axis rows = infer_axis(n.in.height, s.kernel_height, stride_height, s.dilation_height, s.padding,
                                     s.pad_top, s.pad_bottom);
        const axis columns =
            infer_axis(n.in.width, s.kernel_width, stride_width, s.dilation_width, s.padding, s.pad_left, s.pad_right);
        require_counted((std::max)({rows.padded, rows.reach, columns.padded, columns.reach}));
        require_counted(product(s.kernel_height, s.kernel_width));
        n.over = {s.kernel_height,   s.kernel_width,   stride_height,           stride_width,
                  s.dilation_height, s.dilation_width, as_int(rows.pad_before), as_int(columns.pad_before)};
        n.out = {as_int(rows.out), as_int(columns.out), n.in.channels};
        if (rows.out < 1 || columns.out < 1)
            report(defect::window, {rows.padded, columns.padded}, {rows.reach, columns.reach});
        if (!s.is_pool() || s.padding != padding_rule::sides) return;
        const int vertical = (std::max)(s.pad_top, s.pad_bottom);
        const int horizontal = (std::max)(s.pad_left, s.pad_right);
        if (s.kind == operation::average_pool && !defaults.average_inside && (std::max)(vertical, horizontal) > 0)
            report(defect::average, {}, {});
        // Some window would hold nothing of the image: it has no maximum and no mean.
        if (vertical >= s.kernel_height || horizontal >= s.kernel_width)
            report(defect::padding, {vertical, horizontal}, {s.kernel_height, s.kernel_width});
    }

    constexpr void choose_channels() const {
        n.groups = s.depthwise ? n.in.channels : s.groups;
        const std::int64_t channels = s.depthwise ? product(n.in.channels, s.out_channels) : s.out_channels;
        n.out.channels = as_int(channels);
        n.has_bias = s.bias != bias_rule::never;
        if (n.in.channels % n.groups != 0 || channels % n.groups != 0)
            report(defect::groups, {n.groups}, {n.in.channels, channels});
        require_counted(product(channels, n.in.channels / n.groups, s.kernel_height, s.kernel_width));
        require_counted(product(n.out.height, n.out.width, channels));
    }
};

template <class Report>
constexpr void infer_shape(node& n, const layer_spec& s, const layer_defaults& defaults, const Report& report) {
    shape_inference<Report>{n, s, defaults, report}.run();
}

} // namespace statiq::detail
