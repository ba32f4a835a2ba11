// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/backward/rearrange.hpp>
#include <statiq/kernels/reference/rearrange.hpp>

#include <cstdint>
#include <string_view>

namespace statiq {

namespace operations {

/// Zeros around the image.
struct pad {
    static constexpr std::string_view word = "pad";
    static constexpr operation_traits traits{.keeps_numbers = true};

    static constexpr void shape(shape_context& c) {
        const layer_spec& s = c.spec;
        c.n.over = {.pad_top = s.pad_top, .pad_left = s.pad_left};
        c.set_pixels(std::int64_t{c.n.in.height} + s.pad_top + s.pad_bottom,
                     std::int64_t{c.n.in.width} + s.pad_left + s.pad_right);
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        kernels::reference::pad(kernels::reference::pad_arguments<typename Call::in>{.input = c.input(0),
                                                                                     .in = c.n.in,
                                                                                     .out = c.n.out,
                                                                                     .pad_top = c.n.over.pad_top,
                                                                                     .pad_left = c.n.over.pad_left,
                                                                                     .value = 0.0F,
                                                                                     .output = c.output});
    }

    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        kernels::reference::pad(kernels::reference::pad_arguments<typename Call::in>{
            .input = c.input(0),
            .in = c.n.in,
            .out = c.n.out,
            .pad_top = c.n.over.pad_top,
            .pad_left = c.n.over.pad_left,
            .value = static_cast<typename Call::in>(c.zero_point(0)),
            .output = c.output});
    }

    template <class Call>
    static void gradient(const Call& c) {
        kernels::reference::pad_gradient(c.output_gradient, c.in, c.n.out, c.n.over.pad_top, c.n.over.pad_left,
                                         c.gradient);
    }
};

} // namespace operations

namespace vocabulary {
template <int Top, int Bottom, int Left, int Right>
struct pad {
    using operation = operations::pad;
    static constexpr layer_spec spec{
        .padding = padding_rule::sides, .pad_top = Top, .pad_bottom = Bottom, .pad_left = Left, .pad_right = Right};
};
} // namespace vocabulary

/// Rows and columns of zeros around the image.
template <int Top, int Bottom, int Left, int Right>
inline constexpr layer<vocabulary::pad<Top, Bottom, Left, Right>> pad{};

} // namespace statiq
