// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/window_shape.hpp>
#include <statiq/kernels/reference/backward/pool.hpp>
#include <statiq/kernels/reference/pool.hpp>

#include <algorithm>
#include <string_view>

namespace statiq {

namespace operations {

/// The mean over a window's taps that lie inside the image.
struct average_pool {
    static constexpr std::string_view word = "average_pool";
    static constexpr operation_traits traits{.windowed = true, .keeps_numbers = true, .homogeneous = true};

    static constexpr void shape(shape_context& c) {
        detail::move_window(c);
        const layer_spec& s = c.spec;
        const bool padded =
            s.padding == padding_rule::sides && (std::max)({s.pad_top, s.pad_bottom, s.pad_left, s.pad_right}) > 0;
        if (padded && !c.defaults.average_inside) c.report(defect::average);
        detail::require_image_in_windows(c);
    }
    /// Averages sum stored integers.
    static constexpr interval sums(const node& n, const number_format& input) {
        return hull(interval_of(input), interval{}).times(n.over.taps());
    }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        c.pool_rows(arguments(c), [](const auto& part) { kernels::reference::average_pool(part); });
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        auto of = arguments(c);
        of.lowest = c.constants.lowest;
        of.highest = c.constants.highest;
        c.pool_rows(of, [&](const auto& part) { c.kernels.average_pool(part); });
    }
    template <class Call>
    static void gradient(const Call& c) {
        kernels::reference::average_pool_gradient(kernels::reference::pool_gradient_arguments<typename Call::real>{
            c.input(c.k), c.in, c.n.out, c.n.over, c.output_gradient, c.gradient});
    }

  private:
    template <class Call>
    static constexpr auto arguments(const Call& c) {
        return kernels::reference::pool_arguments<typename Call::in>{
            .input = c.input(0), .in = c.n.in, .out = c.n.out, .over = c.n.over, .output = c.output};
    }
};

} // namespace operations

namespace vocabulary {
/// 2 x 2, the kernel's stride (0), no padding.
struct average_pool {
    using operation = operations::average_pool;
    static constexpr layer_spec spec{
        .kernel_height = 2, .kernel_width = 2, .stride_height = 0, .stride_width = 0, .padding = padding_rule::valid};
};
} // namespace vocabulary

/// Means, 2 x 2 unless told; the stride is the kernel unless told; no padding unless told. The number of taps inside
/// the image divides (TensorFlow's rule; PyTorch's with count_include_pad=False).
inline constexpr layer<vocabulary::average_pool> average_pool{};

} // namespace statiq
