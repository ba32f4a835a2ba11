// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/backward/rearrange.hpp>
#include <statiq/kernels/reference/broadcast.hpp>

#include <string_view>

namespace statiq {

namespace operations {

/// Values repeated along axes of extent 1.
struct broadcast {
    static constexpr std::string_view word = "broadcast";
    static constexpr operation_traits traits{.keeps_numbers = true, .channels = channel_flow::repeated};

    static constexpr void shape(shape_context& c) {
        node& n = c.n;
        n.out = c.spec.shape;
        const auto repeats = [](int from, int to) { return from == to || from == 1; };
        if (!repeats(n.in.height, n.out.height) || !repeats(n.in.width, n.out.width) ||
            !repeats(n.in.channels, n.out.channels))
            c.report(defect::broadcast, {n.out.height, n.out.width, n.out.channels},
                     {n.in.height, n.in.width, n.in.channels});
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        kernels::reference::broadcast(c.input(0), c.n.in, c.n.out, c.output);
    }

    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        reals(c);
    }

    template <class Call>
    static void gradient(const Call& c) {
        kernels::reference::broadcast_gradient(c.output_gradient, c.in, c.n.out, c.gradient);
    }
};

} // namespace operations

namespace vocabulary {
template <int Height, int Width, int Channels>
struct broadcast {
    using operation = operations::broadcast;
    static constexpr layer_spec spec{.shape = {Height, Width, Channels}};
};
} // namespace vocabulary

/// Repeated along every axis on which its extent is 1, to these extents: how a vector of channels is added to an image,
/// `add(a, b | broadcast<H, W, C>)`. Sums do not broadcast by themselves, because that hides mistakes.
template <int Height, int Width, int Channels>
inline constexpr layer<vocabulary::broadcast<Height, Width, Channels>> broadcast{};

} // namespace statiq
