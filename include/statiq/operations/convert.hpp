// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/convert.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace statiq {

namespace operations {

/// From one number format to another: quantize, dequantize or requantize.
struct convert {
    static constexpr std::string_view word = "convert";
    static constexpr operation_traits traits{.converts = true, .rounds = true};

    static constexpr void shape(shape_context&) {}
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        std::copy_n(c.input(0), c.n.out.size(), c.output); // the reals stay what they are
    }

    template <class Call>
    static constexpr void prepare(const Call& c) {
        c.constants.factor = Call::scheme::prepare(c.ratio(0));
    }

    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        using arguments =
            kernels::reference::requantize_arguments<typename Call::in, typename Call::out, typename Call::scheme>;
        c.in_runs([&](std::size_t first, std::size_t count) {
            c.kernels.requantize(arguments{.input = c.input(0) + first,
                                           .size = count,
                                           .input_zero_point = c.zero_point(0),
                                           .factor = c.constants.factor,
                                           .output_zero_point = c.constants.output.zero_point,
                                           .lowest = c.constants.lowest,
                                           .highest = c.constants.highest,
                                           .output = c.output + first});
        });
    }

    template <class Call>
    static void gradient(const Call& c) {
        if (c.gradient != c.output_gradient) std::copy_n(c.output_gradient, c.n.out.size(), c.gradient);
    }
};

} // namespace operations

/// Converts values to the number format that the surrounding `with<...>` states.
inline constexpr layer<vocabulary::plain<operations::convert>> convert{};

} // namespace statiq
