// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>

#include <string_view>

namespace statiq {

namespace operations {

/// What a network is given. It reads nothing, and executions hand it over.
struct input {
    static constexpr std::string_view word = "input";
    static constexpr operation_traits traits{.source = true, .channels = channel_flow::made};

    static constexpr void shape(shape_context& c) { c.n.in = c.n.out = c.spec.shape; }
    static constexpr interval sums(const node&, const number_format&) { return {}; }
};

} // namespace operations

namespace vocabulary {
template <int Height, int Width, int Channels>
struct input {
    using operation = operations::input;
    static constexpr layer_spec spec{.shape = {Height, Width, Channels}};
};
} // namespace vocabulary

/// The network's input, height x width x channels.
template <int Height, int Width, int Channels>
inline constexpr layer<vocabulary::input<Height, Width, Channels>> input{};

} // namespace statiq
