// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/add.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace statiq {

namespace operations {

/// The sum of tensors of one shape.
struct add {
    static constexpr std::string_view word = "add";
    static constexpr operation_traits traits{
        .joins = true, .takes_clamp = true, .rounds = true, .gradient_stays = true, .channels = channel_flow::summed};

    static constexpr void shape(shape_context& c) {
        c.require_equal_pixels();
        for (int k = 1; k < c.n.input_count; ++k)
            if (c.inputs[k].channels != c.n.in.channels)
                c.report(defect::channels, {c.n.in.channels}, {c.inputs[k].channels});
    }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        c.in_runs([&](std::size_t first, std::size_t count) {
            std::array<const float*, max_inputs> terms{};
            for (std::size_t k = 0; k < c.inputs(); ++k) terms[k] = c.input(k) + first;
            kernels::reference::add(kernels::reference::float_add_arguments{.inputs = {terms.data(), c.inputs()},
                                                                            .size = count,
                                                                            .lowest = c.n.clamp.lowest,
                                                                            .highest = c.n.clamp.highest,
                                                                            .output = c.output + first});
        });
    }
    template <class Call>
    static constexpr void prepare(const Call& c) {
        std::array<float, max_inputs> scales{};
        int widest = 0;
        for (std::size_t k = 0; k < c.inputs(); ++k) {
            scales[k] = c.scale(k);
            widest = (std::max)(widest, c.format(k).bits);
        }
        c.constants.join = kernels::reference::prepare_add<typename Call::scheme>(
            std::span<const float>(scales.data(), c.inputs()), c.output_scale, widest);
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        using in = typename Call::in;
        using out = typename Call::out;
        using scheme = typename Call::scheme;
        c.in_runs([&](std::size_t first, std::size_t count) {
            std::array<kernels::reference::add_input<in, scheme>, max_inputs> terms{};
            for (std::size_t k = 0; k < c.inputs(); ++k)
                terms[k] = {c.input(k) + first, c.zero_point(k), c.constants.join.inputs[k]};
            c.kernels.add(
                kernels::reference::add_arguments<in, out, scheme>{.inputs = {terms.data(), c.inputs()},
                                                                   .size = count,
                                                                   .left_shift = c.constants.join.left_shift,
                                                                   .factor = c.constants.join.output,
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

/// The sum of branches over the same input; their output shapes must agree.
template <graph_part... Branches>
constexpr auto add(const Branches&... branches) {
    return join<operations::add>(branches...);
}

/// body(x) + x.
template <graph_part Body>
constexpr auto residual(const Body& body) {
    return add(body, identity);
}

} // namespace statiq
