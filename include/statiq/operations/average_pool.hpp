// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/operations/pool.hpp>

#include <algorithm>
#include <string_view>

namespace statiq {

namespace operations {

/// The mean over a window's taps that lie inside the image.
struct average_pool : pool<average_pool> {
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

    static constexpr void by_definition(const auto& of) noexcept { kernels::reference::average_pool(of); }
    static constexpr void by_kernel(const auto& kernels, const auto& of) noexcept { kernels.average_pool(of); }
    static void back(const auto& of) { kernels::reference::average_pool_gradient(of); }
};

} // namespace operations

/// Means, 2 x 2 unless told; the stride is the kernel unless told; no padding unless told. The number of taps inside
/// the image divides (TensorFlow's rule; PyTorch's with count_include_pad=False).
inline constexpr layer<vocabulary::pool<operations::average_pool>> average_pool{};

} // namespace statiq
