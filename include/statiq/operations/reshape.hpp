// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>

#include <string_view>

namespace statiq {

namespace operations {

/// The same values in other extents. No data moves: executions hand the input on.
struct reshape {
    static constexpr std::string_view word = "reshape";
    static constexpr operation_traits traits{
        .keeps_numbers = true, .moves_no_data = true, .channels = channel_flow::reshaped};

    static constexpr void shape(shape_context& c) {
        c.n.out = c.spec.flattens ? extents{1, 1, detail::as_int(detail::product(c.n.in))} : c.spec.shape;
        c.require_counted(detail::product(c.n.out));
        if (detail::product(c.n.out) != detail::product(c.n.in))
            c.report(defect::size, {detail::product(c.n.in)}, {detail::product(c.n.out)});
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }
};

} // namespace operations

namespace vocabulary {
template <int Height, int Width, int Channels>
struct reshape {
    using operation = operations::reshape;
    static constexpr layer_spec spec{.shape = {Height, Width, Channels}};
};
struct flatten {
    using operation = operations::reshape;
    static constexpr layer_spec spec{.flattens = true};
};
} // namespace vocabulary

/// The same values in another shape; HWC order is kept and no data moves.
template <int Height, int Width, int Channels>
inline constexpr layer<vocabulary::reshape<Height, Width, Channels>> reshape{};
/// 1 x 1 x everything, in HWC order.
inline constexpr layer<vocabulary::flatten> flatten{};

} // namespace statiq
