// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

/// How the work of one kernel call is divided into parts that may run at once. A part is a call of the same kernel, on
/// some rows of the output and some of its channels: kernels know nothing of threads.
namespace statiq::kernels {

/// The first unit of part `index`, when `units` are divided into `parts` parts of nearly equal size.
constexpr int first_of_part(int units, int index, int parts) noexcept {
    return static_cast<int>(std::int64_t{units} * index / parts);
}

/// Rows of the output of a convolution or a pool as an operation of its own, on the rows of the image it reads.
struct row_part {
    extents in;
    extents out;
    window over;
    std::ptrdiff_t input;  ///< offset of its first value
    std::ptrdiff_t output; ///< offset of its first value
};
/// @param first, last of the rows: [first, last)
constexpr row_part rows_of(const extents& in, const extents& out, const window& over, int first, int last) noexcept {
    const int top = first * over.stride_height - over.pad_top;
    const int bottom = (last - 1) * over.stride_height - over.pad_top + (over.kernel_height - 1) * over.dilation_height;
    const int begin = std::clamp(top, 0, in.height - 1);
    const int end = std::clamp(bottom + 1, begin + 1, in.height);
    row_part part{{end - begin, in.width, in.channels}, {last - first, out.width, out.channels}, over, 0, 0};
    part.over.pad_top = begin - top;
    part.input = static_cast<std::ptrdiff_t>(begin) * in.width * in.channels;
    part.output = static_cast<std::ptrdiff_t>(first) * out.width * out.channels;
    return part;
}

/// A 1 x 1 convolution does not use the image's shape, so every pixel can be a row of its own.
constexpr convolution_shape with_most_rows(convolution_shape shape) noexcept {
    if (shape.over == window{} && shape.in.pixels() == shape.out.pixels()) {
        shape.in = {static_cast<int>(shape.in.pixels()), 1, shape.in.channels};
        shape.out = {static_cast<int>(shape.out.pixels()), 1, shape.out.channels};
    }
    return shape;
}

/// Channels that kernels compute together: a part has all or none of a panel's.
/// @tparam Weight the packed weights' type.
template <class Weight>
class channel_panels {
    static constexpr int depthwise_panel = 64;

  public:
    explicit constexpr channel_panels(const convolution_shape& shape) noexcept
        : shape_(shape), depthwise_(shape.is_depthwise() && shape.in.channels == shape.out.channels) {}

    [[nodiscard]] constexpr int count() const noexcept {
        if (depthwise_) return (shape_.out.channels + depthwise_panel - 1) / depthwise_panel;
        if (shape_.groups > 1) return 1;
        return blocked_layout_of<Weight>(shape_).panels();
    }
    /// Of panel number `index`; the number of channels for the one behind the last.
    [[nodiscard]] constexpr int first_channel(int index) const noexcept {
        const int first = depthwise_ ? index * depthwise_panel
                                     : blocked_layout_of<Weight>(shape_).first_block(index) * outputs_per_block;
        return index == count() ? shape_.out.channels : first;
    }

  private:
    const convolution_shape& shape_;
    bool depthwise_;
};

/// Parts of a convolution: spans of rows times spans of panels.
struct division {
    int rows = 1;
    int panels = 1;
    [[nodiscard]] constexpr int count() const noexcept { return rows * panels; }
};

/// The best division into at most `most` parts, each with at least `least` products of work. The best division has the
/// smallest largest part. Among equals, more parts along rows are better: a part of the next layer then reads mostly
/// what the same processor has written.
/// @tparam Weight the packed weights' type.
template <class Weight>
constexpr division division_of(const convolution_shape& whole, std::size_t most, std::size_t least) noexcept {
    constexpr std::size_t depthwise_cost = 8; // of a product, in products of other convolutions
    constexpr std::size_t weight_cost = 4;    // of a weight that comes from far away
    const convolution_shape shape = with_most_rows(whole);
    const std::size_t products = shape.out.size() * static_cast<std::size_t>(shape.reduction());
    const std::size_t work =
        products * (shape.is_depthwise() ? depthwise_cost : 1) + shape.weight_count() * weight_cost;
    const int parts = static_cast<int>((std::min)(most, work / least));
    const int panels = channel_panels<Weight>(shape).count();
    const auto largest = [&](const division& by) {
        return std::int64_t{(shape.out.height + by.rows - 1) / by.rows} * ((panels + by.panels - 1) / by.panels);
    };
    division best;
    for (int p = 1; p <= (std::min)(parts, panels); ++p)
        if (const division by{(std::min)(parts / p, shape.out.height), p}; largest(by) < largest(best)) best = by;
    return best;
}

/// One part: the kernel's arguments and shape. Each part has scratch memory of its own. The first part has the call's,
/// and the memory of the other parts follows it.
template <class Arguments>
struct part {
    Arguments arguments;
    convolution_shape shape;
};
template <class Arguments>
constexpr part<Arguments> part_of(const Arguments& whole, const convolution_shape& whole_shape, const division& by,
                                  int index) noexcept {
    part<Arguments> result{whole, with_most_rows(whole_shape)};
    const auto& [in, out, over, groups] = result.shape;
    const int row = index % by.rows;
    const int panel = index / by.rows;
    const row_part rows =
        rows_of(in, out, over, first_of_part(out.height, row, by.rows), first_of_part(out.height, row + 1, by.rows));
    const channel_panels<typename Arguments::weight_type> panels(whole_shape);
    Arguments& arguments = result.arguments;
    arguments.channels = {panels.first_channel(first_of_part(panels.count(), panel, by.panels)),
                          panels.first_channel(first_of_part(panels.count(), panel + 1, by.panels))};
    // Each part prefetches the share of the next layer's weights that the same part of that layer will read.
    const std::size_t ahead = arguments.ahead.bytes / static_cast<std::size_t>(by.panels);
    arguments.ahead = {static_cast<const char*>(arguments.ahead.from) + ahead * static_cast<std::size_t>(panel), ahead};
    arguments.input += rows.input;
    arguments.output += rows.output;
    arguments.scratch = whole.scratch.of_part(static_cast<std::size_t>(index));
    result.shape = {rows.in, rows.out, rows.over, groups};
    return result;
}

} // namespace statiq::kernels
