// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/backward/rearrange.hpp>
#include <statiq/kernels/reference/rearrange.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace statiq {

namespace operations {

/// The axes of one sample in another order.
struct transpose {
    static constexpr std::string_view word = "transpose";
    static constexpr operation_traits traits{.keeps_numbers = true, .channels = channel_flow::transposed};

    static constexpr void shape(shape_context& c) {
        const std::array<int, 3> from{c.n.in.height, c.n.in.width, c.n.in.channels};
        const auto extent = [&](std::size_t i) { return from[static_cast<std::size_t>(c.spec.axes[i])]; };
        c.n.axes = c.spec.axes;
        c.n.out = {extent(0), extent(1), extent(2)};
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        kernels::reference::transpose(kernels::reference::transpose_arguments<typename Call::in>{
            .input = c.input(0), .in = c.n.in, .axes = c.n.axes, .output = c.output});
    }

    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        reals(c);
    }

    template <class Call>
    static void gradient(const Call& c) {
        kernels::reference::transpose_gradient(c.output_gradient, c.in, c.n.axes, c.gradient);
    }
};

} // namespace operations

namespace vocabulary {
template <int A, int B, int C>
struct transpose {
    using operation = operations::transpose;
    static constexpr layer_spec spec{.axes = {A, B, C}};
};
} // namespace vocabulary

/// Axes in another order (0 height, 1 width, 2 channels): output axis i is input axis A, B, C. An image stored
/// channel first and written down as input<C, H, W> becomes HWC by transpose<1, 2, 0>.
template <int A, int B, int C>
inline constexpr layer<vocabulary::transpose<A, B, C>> transpose{};

} // namespace statiq
