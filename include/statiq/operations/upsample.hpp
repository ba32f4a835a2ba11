// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/backward/rearrange.hpp>
#include <statiq/kernels/reference/upsample.hpp>

#include <string_view>

namespace statiq {

namespace operations {

/// Every pixel repeated, whole times along each axis.
struct upsample {
    static constexpr std::string_view word = "upsample";
    static constexpr operation_traits traits{.keeps_numbers = true, .homogeneous = true};

    static constexpr void shape(shape_context& c) {
        c.set_pixels(detail::product(c.n.in.height, c.spec.rows), detail::product(c.n.in.width, c.spec.columns));
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        kernels::reference::upsample(c.input(0), c.n.in, c.n.out, c.output);
    }

    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        reals(c);
    }

    template <class Call>
    static void gradient(const Call& c) {
        kernels::reference::upsample_gradient(c.output_gradient, c.in, c.n.out, c.gradient);
    }
};

} // namespace operations

namespace vocabulary {
template <int Rows, int Columns>
struct upsample {
    using operation = operations::upsample;
    static constexpr layer_spec spec{.rows = Rows, .columns = Columns};
};
} // namespace vocabulary

/// Each pixel repeated `Rows` times downwards and `Columns` times to the right: the nearest neighbour in a larger
/// image.
template <int Rows, int Columns = Rows>
inline constexpr layer<vocabulary::upsample<Rows, Columns>> upsample{};

} // namespace statiq
