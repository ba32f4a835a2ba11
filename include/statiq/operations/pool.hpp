// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/window_shape.hpp>
#include <statiq/kernels/reference/backward/pool.hpp>
#include <statiq/kernels/reference/pool.hpp>

namespace statiq {

namespace operations {

/// What pools have in common.
/// @tparam Pool names its kernels: `by_definition(arguments)`, `by_kernel(kernels, arguments)`, `back(arguments)`
template <class Pool>
struct pool {
    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        c.pool_rows(arguments(c), [](const auto& part) { Pool::by_definition(part); });
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        auto of = arguments(c);
        of.lowest = c.constants.lowest;
        of.highest = c.constants.highest;
        c.pool_rows(of, [&](const auto& part) { Pool::by_kernel(c.kernels, part); });
    }
    template <class Call>
    static void gradient(const Call& c) {
        Pool::back(kernels::reference::pool_gradient_arguments<typename Call::real>{
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
template <class Op>
struct pool {
    using operation = Op;
    static constexpr layer_spec spec{
        .kernel_height = 2, .kernel_width = 2, .stride_height = 0, .stride_width = 0, .padding = padding_rule::valid};
};
} // namespace vocabulary

} // namespace statiq
