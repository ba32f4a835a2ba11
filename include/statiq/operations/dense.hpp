// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/operations/linear.hpp>

#include <string_view>

namespace statiq {

namespace operations {

/// A matrix on a flat vector.
struct dense : linear {
    static constexpr std::string_view word = "dense";
    static constexpr operation_traits traits{.linear = true,
                                             .flat = true,
                                             .takes_clamp = true,
                                             .rounds = true,
                                             .keeps_input = true,
                                             .channels = channel_flow::made};

    static constexpr void shape(shape_context& c) {
        c.require_flat();
        c.n.out = {1, 1, c.spec.out_channels};
        c.n.has_bias = c.spec.bias != bias_rule::never;
        c.require_counted(detail::product(c.spec.out_channels, detail::product(c.n.in)));
    }
};

} // namespace operations

namespace vocabulary {
template <int OutChannels>
struct dense {
    using operation = operations::dense;
    static constexpr layer_spec spec{.out_channels = OutChannels};
};
} // namespace vocabulary

/// Fully connected, on a flat (1 x 1 x n) tensor.
template <int OutChannels>
inline constexpr layer<vocabulary::dense<OutChannels>> dense{};

} // namespace statiq
