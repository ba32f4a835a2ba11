// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/backward/pointwise.hpp>
#include <statiq/kernels/reference/softmax.hpp>
#include <statiq/kernels/reference/table_softmax.hpp>

#include <string_view>

namespace statiq {

namespace operations {

/// What both softmaxes have: the same real numbers.
struct any_softmax {
    static constexpr std::string_view word = "softmax";
    static constexpr operation_traits traits{.keeps_output = true, .gradient_stays = true};

    static constexpr void shape(shape_context& c) { c.require_flat(); }
    static constexpr interval sums(const node&, const number_format&) { return {}; }
    static constexpr affine fixed_output(const number_format& format) {
        return {1.0F / 256.0F, format.lowest}; // [0, 255 / 256]
    }

    template <class Call>
    static void reals(const Call& c) noexcept {
        kernels::reference::softmax(
            kernels::reference::float_softmax_arguments{.input = c.input(0), .in = c.n.in, .output = c.output});
    }
    template <class Call>
    static void gradient(const Call& c) {
        kernels::reference::softmax_gradient(c.output, c.output_gradient, c.in, c.gradient);
    }
};

/// In integers: TensorFlow Lite's fixed-point definition.
struct softmax : any_softmax {
    static constexpr number_defect find_defect(const node& n, const number_format&) {
        const number_format& numbers = n.numbers.activation;
        return numbers.bits != 8 || !numbers.has_zero_point ? number_defect::softmax_format : number_defect::none;
    }
    template <class Call>
    static constexpr void prepare(const Call& c) {
        c.constants.softmax = kernels::reference::prepare_softmax(c.scale(0));
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        if constexpr (sizeof(typename Call::out) == 1)
            kernels::reference::softmax(kernels::reference::softmax_arguments<typename Call::in, typename Call::out>{
                .input = c.input(0), .in = c.n.in, .parameters = c.constants.softmax, .output = c.output});
    }
};

/// In integers by a table of 256 exponentials, as TensorFlow Lite does on general processors.
struct table_softmax : any_softmax {
    static constexpr number_defect find_defect(const node& n, const number_format& input) {
        const number_defect found = softmax::find_defect(n, input);
        if (found != number_defect::none) return found;
        return input.bits > 8 ? number_defect::table_softmax_inputs : number_defect::none;
    }
    /// Floats that its integers read.
    static constexpr std::size_t table_size(const node&, const number_format&) {
        return kernels::reference::exponential_count;
    }
    template <class Call>
    static void fill_table(const Call& c) {
        kernels::reference::fill_exponentials(c.map(0).scale, c.table);
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        if constexpr (sizeof(typename Call::out) == 1 && sizeof(typename Call::in) == 1)
            kernels::reference::table_softmax(
                kernels::reference::table_softmax_arguments<typename Call::in, typename Call::out>{
                    .input = c.input(0), .in = c.n.in, .table = c.table, .output = c.output});
    }
};

} // namespace operations

/// Over the channels of a flat tensor. In integers: TensorFlow Lite's fixed-point definition.
inline constexpr layer<vocabulary::plain<operations::softmax>> softmax{};
/// The same in real numbers; in integers by a table of 256 exponentials, as TensorFlow Lite does on general processors.
/// The two differ by one step in some elements.
inline constexpr layer<vocabulary::plain<operations::table_softmax>> table_softmax{};

} // namespace statiq
