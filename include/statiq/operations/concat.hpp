// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/backward/rearrange.hpp>
#include <statiq/kernels/reference/concat.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace statiq {

namespace operations {

/// Tensors side by side along channels.
struct concat {
    static constexpr std::string_view word = "concat";
    static constexpr operation_traits traits{.joins = true, .rounds = true, .channels = channel_flow::joined};

    static constexpr void shape(shape_context& c) {
        c.require_equal_pixels();
        std::int64_t channels = 0;
        for (int k = 0; k < c.n.input_count; ++k) channels += c.inputs[k].channels;
        c.require_counted(detail::product(c.n.in.height, c.n.in.width, channels));
        c.n.out.channels = detail::as_int(channels);
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        each_input(c, [&](std::size_t k, int first) {
            kernels::reference::concat(kernels::reference::float_concat_arguments{.input = c.input(k),
                                                                                  .in = c.input_extents(k),
                                                                                  .channels = c.n.out.channels,
                                                                                  .first_channel = first,
                                                                                  .output = c.output});
        });
    }
    template <class Call>
    static constexpr void prepare(const Call& c) {
        for (std::size_t k = 0; k < c.inputs(); ++k) c.constants.join.inputs[k] = Call::scheme::prepare(c.ratio(k));
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        using arguments =
            kernels::reference::concat_arguments<typename Call::in, typename Call::out, typename Call::scheme>;
        each_input(c, [&](std::size_t k, int first) {
            c.kernels.concat(arguments{.input = c.input(k),
                                       .in = c.input_extents(k),
                                       .input_zero_point = c.zero_point(k),
                                       .factor = c.constants.join.inputs[k],
                                       .output_zero_point = c.constants.output.zero_point,
                                       .lowest = c.constants.lowest,
                                       .highest = c.constants.highest,
                                       .channels = c.n.out.channels,
                                       .first_channel = first,
                                       .output = c.output});
        });
    }
    template <class Call>
    static void gradient(const Call& c) {
        int first = 0;
        for (std::size_t before = 0; before < c.k; ++before) first += c.input_extents(before).channels;
        kernels::reference::concat_gradient(c.output_gradient, c.in, c.n.out.channels, first, c.gradient);
    }

  private:
    template <class Call, class F>
    static constexpr void each_input(const Call& c, const F& f) {
        int first = 0;
        for (std::size_t k = 0; k < c.inputs(); ++k) {
            f(k, first);
            first += c.input_extents(k).channels;
        }
    }
};

} // namespace operations

/// Branches over the same input side by side along channels; heights and widths must agree.
template <graph_part... Branches>
constexpr auto concat(const Branches&... branches) {
    return join<operations::concat>(branches...);
}

} // namespace statiq
