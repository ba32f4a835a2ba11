// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/backward/pool.hpp>
#include <statiq/kernels/reference/mean.hpp>

#include <cstdint>
#include <string_view>

namespace statiq {

namespace operations {

/// The mean over all pixels, rounded to numbers of its own in integers.
struct global_average_pool {
    static constexpr std::string_view word = "global_average_pool";
    static constexpr operation_traits traits{.homogeneous = true, .rounds = true};

    static constexpr void shape(shape_context& c) { c.n.out = {1, 1, c.n.in.channels}; }
    /// Stored integers are summed, and their zero points subtracted afterwards.
    static constexpr interval sums(const node& n, const number_format& input) {
        return hull(hull(interval_of(input), centred(input)), interval{})
            .times(static_cast<std::int64_t>(n.in.pixels()));
    }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        kernels::reference::mean(
            kernels::reference::float_mean_arguments{.input = c.input(0), .in = c.n.in, .output = c.output});
    }
    template <class Call>
    static constexpr void prepare(const Call& c) {
        c.constants.factor = Call::scheme::prepare_mean(c.ratio(0), static_cast<std::int64_t>(c.n.in.pixels()));
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        c.kernels.mean(kernels::reference::mean_arguments<typename Call::in, typename Call::out, typename Call::scheme>{
            .input = c.input(0),
            .in = c.n.in,
            .input_zero_point = c.zero_point(0),
            .factor = c.constants.factor,
            .output_zero_point = c.constants.output.zero_point,
            .lowest = c.constants.lowest,
            .highest = c.constants.highest,
            .output = c.output});
    }
    template <class Call>
    static void gradient(const Call& c) {
        kernels::reference::mean_gradient(c.output_gradient, c.in, c.gradient);
    }
};

} // namespace operations

/// Mean over all pixels: 1 x 1 x channels.
inline constexpr layer<vocabulary::plain<operations::global_average_pool>> global_average_pool{};

} // namespace statiq
