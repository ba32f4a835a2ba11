// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/shape_context.hpp>

#include <algorithm>
#include <cstdint>

namespace statiq::detail {

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
        const std::int64_t total = larger(0, (out - 1) * stride + reach - in);
        return {out, total / 2, in + total, reach};
    }
    const std::int64_t padded = rule == padding_rule::valid ? in : in + before + after;
    return {padded < reach ? 0 : (padded - reach) / stride + 1, padded - in == 0 ? 0 : before, padded, reach};
}

/// The shape of what moves a window over an image, channel by channel.
constexpr void move_window(shape_context& c) {
    node& n = c.n;
    const layer_spec& s = c.spec;
    const int stride_height = s.stride_height == 0 ? s.kernel_height : s.stride_height;
    const int stride_width = s.stride_width == 0 ? s.kernel_width : s.stride_width;
    const axis rows =
        infer_axis(n.in.height, s.kernel_height, stride_height, s.dilation_height, s.padding, s.pad_top, s.pad_bottom);
    const axis columns =
        infer_axis(n.in.width, s.kernel_width, stride_width, s.dilation_width, s.padding, s.pad_left, s.pad_right);
    c.require_counted(larger(larger(rows.padded, rows.reach), larger(columns.padded, columns.reach)));
    c.require_counted(product(s.kernel_height, s.kernel_width));
    n.over = {s.kernel_height,   s.kernel_width,   stride_height,           stride_width,
              s.dilation_height, s.dilation_width, as_int(rows.pad_before), as_int(columns.pad_before)};
    n.out = {as_int(rows.out), as_int(columns.out), n.in.channels};
    if (rows.out < 1 || columns.out < 1)
        c.report(defect::window, {rows.padded, columns.padded}, {rows.reach, columns.reach});
}

/// A pool's window holds some of the image wherever it stands: what is padding only has no maximum and no mean.
constexpr void require_image_in_windows(const shape_context& c) {
    const layer_spec& s = c.spec;
    if (s.padding != padding_rule::sides) return;
    const int vertical = (std::max)(s.pad_top, s.pad_bottom);
    const int horizontal = (std::max)(s.pad_left, s.pad_right);
    if (vertical >= s.kernel_height || horizontal >= s.kernel_width)
        c.report(defect::padding, {vertical, horizontal}, {s.kernel_height, s.kernel_width});
}

} // namespace statiq::detail
