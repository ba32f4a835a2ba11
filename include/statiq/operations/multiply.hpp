// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/multiply.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace statiq {

namespace operations {

/// The product of two tensors, value by value. One of them may be a vector of channels (1 x 1 x C), or one value for
/// each pixel (H x W x 1): squeeze-and-excite multiplies an image by such a vector.
struct multiply {
    static constexpr std::string_view word = "multiply";
    static constexpr operation_traits traits{
        .joins = true, .takes_clamp = true, .rounds = true, .keeps_input = true, .channels = channel_flow::summed};

    static constexpr void shape(shape_context& c) {
        node& n = c.n;
        if (n.input_count != 2) {
            c.report(defect::joined, {2}, {n.input_count});
            return;
        }
        const extents& a = c.inputs[0];
        const extents& b = c.inputs[1];
        n.out = {(std::max)(a.height, b.height), (std::max)(a.width, b.width), (std::max)(a.channels, b.channels)};
        for (const extents* of : {&a, &b}) {
            const bool all_pixels = of->height == n.out.height && of->width == n.out.width;
            if (!all_pixels && of->pixels() != 1)
                c.report(defect::extents, {n.out.height, n.out.width}, {of->height, of->width});
            if (of->channels != n.out.channels && of->channels != 1)
                c.report(defect::channels, {n.out.channels}, {of->channels});
        }
    }
    /// Inputs have the same storage, not the same bits: the bound is that of the storage.
    static constexpr interval sums(const node&, const number_format& input) {
        number_format widest = input;
        const std::int32_t values = input.bytes() == 1 ? 256 : 65536;
        widest.lowest = input.is_signed() ? -values / 2 : 0;
        widest.highest = widest.lowest + values - 1;
        return hull(centred(widest) * centred(widest), interval{});
    }

    template <class Call>
    static void reals(const Call& c) noexcept {
        const auto first = factor(c, 0), second = factor(c, 1);
        const auto channels = static_cast<std::size_t>(c.n.out.channels);
        c.in_runs([&](std::size_t begin, std::size_t count) {
            for (std::size_t i = begin; i < begin + count; ++i) {
                const float y = c.input(0)[first.index(i, channels)] * c.input(1)[second.index(i, channels)];
                c.output[i] = y < c.n.clamp.lowest ? c.n.clamp.lowest : y > c.n.clamp.highest ? c.n.clamp.highest : y;
            }
        });
    }
    template <class Call>
    static constexpr void prepare(const Call& c) {
        c.constants.factor = Call::scheme::prepare(static_cast<double>(c.scale(0)) * static_cast<double>(c.scale(1)) /
                                                   static_cast<double>(c.output_scale));
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        using arguments =
            kernels::reference::multiply_arguments<typename Call::in, typename Call::out, typename Call::scheme>;
        c.in_runs([&](std::size_t begin, std::size_t count) {
            kernels::reference::multiply(arguments{.first = c.input(0),
                                                   .second = c.input(1),
                                                   .of_first = factor(c, 0),
                                                   .of_second = factor(c, 1),
                                                   .channels = static_cast<std::size_t>(c.n.out.channels),
                                                   .begin = begin,
                                                   .size = count,
                                                   .first_zero_point = c.zero_point(0),
                                                   .second_zero_point = c.zero_point(1),
                                                   .factor = c.constants.factor,
                                                   .output_zero_point = c.constants.output.zero_point,
                                                   .lowest = c.constants.lowest,
                                                   .highest = c.constants.highest,
                                                   .output = c.output});
        });
    }
    /// Of one factor: the other times the output's gradient, summed where the factor is repeated.
    template <class Call>
    static void gradient(const Call& c) {
        using real = typename Call::real;
        const auto own = factor(c, c.k), other = factor(c, 1 - c.k);
        const auto channels = static_cast<std::size_t>(c.n.out.channels);
        std::fill_n(c.gradient, c.in.size(), real{0});
        for (std::size_t i = 0; i < c.n.out.size(); ++i)
            c.gradient[own.index(i, channels)] += c.output_gradient[i] * c.input(1 - c.k)[other.index(i, channels)];
    }

  private:
    template <class Call>
    static constexpr auto factor(const Call& c, std::size_t k) {
        return kernels::reference::repeated_factor::of(c.input_extents(k), c.n.out);
    }
};

} // namespace operations

/// The product of two branches over the same input. One may be 1 x 1 x C or H x W x 1: it is repeated.
template <graph_part First, graph_part Second>
constexpr auto multiply(const First& first, const Second& second) {
    return join<operations::multiply>(first, second);
}

} // namespace statiq
