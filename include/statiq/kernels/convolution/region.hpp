// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/window.hpp>

#include <algorithm>

namespace statiq::kernels {

/// Output positions along one axis whose windows the image's border cuts in the same way.
struct region_span {
    int begin; ///< first output position
    int end;   ///< behind the last
    int first; ///< first tap inside the image
    int last;  ///< behind the last; first <= last, and equal where the whole window lies outside
};

/// A rectangle of the output whose windows the image's border cuts in the same way. All pixels of a region have the
/// same taps inside the image, so kernels that walk region by region need no border code and never multiply padding.
struct region {
    region_span rows;
    region_span columns;
    [[nodiscard]] constexpr int pixels() const noexcept {
        return (rows.end - rows.begin) * (columns.end - columns.begin);
    }
};

/// The span that starts at output position `begin`.
/// @param before padding. @param in, out extents of the axis.
constexpr region_span span_from(int begin, int kernel, int stride, int dilation, int before, int in, int out) noexcept {
    const auto inside = [&](int position) {
        const int origin = position * stride - before;
        const int first = origin < 0 ? (-origin + dilation - 1) / dilation : 0;
        const int last = origin < in ? (std::min)((in - origin + dilation - 1) / dilation, kernel) : 0;
        return region_span{position, position + 1, (std::min)(first, last), last};
    };
    region_span span = inside(begin);
    if (span.first == 0 && span.last == kernel) {
        const int room = in - 1 - (kernel - 1) * dilation + before;
        span.end = (std::min)(room / stride + 1, out);
        return span;
    }
    while (span.end < out) {
        const region_span next = inside(span.end);
        if (next.first != span.first || next.last != span.last) break;
        span.end = next.end;
    }
    return span;
}

/// The span whose windows the image does not cut; begin == end if there is none.
constexpr region_span uncut_span(int kernel, int stride, int dilation, int before, int in, int out) noexcept {
    for (int begin = 0; begin < out;) {
        const region_span span = span_from(begin, kernel, stride, dilation, before, in, out);
        if (span.first == 0 && span.last == kernel) return span;
        begin = span.end;
    }
    return {out, out, 0, kernel};
}

/// Calls visit(region) for each region of a convolution. Together they cover the output: one region of whole windows,
/// and one per cut edge and corner.
template <class Visit>
constexpr void for_each_region(const convolution_shape& shape, Visit&& visit) noexcept {
    const window& over = shape.over;
    for (int y = 0; y < shape.out.height;) {
        const region_span rows = span_from(y, over.kernel_height, over.stride_height, over.dilation_height,
                                           over.pad_top, shape.in.height, shape.out.height);
        for (int x = 0; x < shape.out.width;) {
            const region_span columns = span_from(x, over.kernel_width, over.stride_width, over.dilation_width,
                                                  over.pad_left, shape.in.width, shape.out.width);
            visit(region{rows, columns});
            x = columns.end;
        }
        y = rows.end;
    }
}

} // namespace statiq::kernels
