// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/window_shape.hpp>
#include <statiq/kernels/reference/backward/pool.hpp>
#include <statiq/kernels/reference/pool.hpp>

#include <string_view>

namespace statiq {

namespace operations {

/// The greatest value in a window's part of the image.
struct max_pool {
    static constexpr std::string_view word = "max_pool";
    static constexpr operation_traits traits{
        .windowed = true, .keeps_numbers = true, .homogeneous = true, .keeps_input = true};

    static constexpr void shape(shape_context& c) {
        detail::move_window(c);
        detail::require_image_in_windows(c);
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        c.pool_rows(arguments(c), [](const auto& part) { kernels::reference::max_pool(part); });
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        auto of = arguments(c);
        of.lowest = c.constants.lowest;
        of.highest = c.constants.highest;
        c.pool_rows(of, [&](const auto& part) { c.kernels.max_pool(part); });
    }
    template <class Call>
    static void gradient(const Call& c) {
        kernels::reference::max_pool_gradient(kernels::reference::pool_gradient_arguments<typename Call::real>{
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
struct max_pool {
    using operation = operations::max_pool;
    static constexpr layer_spec spec{
        .kernel_height = 2, .kernel_width = 2, .stride_height = 0, .stride_width = 0, .padding = padding_rule::valid};
};
} // namespace vocabulary

/// Maxima, 2 x 2 unless told; the stride is the kernel unless told; no padding unless told.
inline constexpr layer<vocabulary::max_pool> max_pool{};

} // namespace statiq
