// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/convert.hpp>
#include <statiq/kernels/reference/multiply.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
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

    /// s_a s_b / s_y
    static constexpr double multiplier(std::span<const float> inputs, float output) {
        return static_cast<double>(inputs[0]) * static_cast<double>(inputs[1]) / static_cast<double>(output);
    }

    template <class Call>
    static void reals(const Call& c) noexcept {
        in_pixels(c, [&](std::size_t begin, std::size_t end) {
            each_product(c, 0, 1, begin, end, [&](std::size_t i, std::size_t a, std::size_t b) {
                c.output[i] = c.input(0)[a] * c.input(1)[b];
            });
            if (!c.n.clamp.bounds()) return;
            float* made = c.output + begin * channels(c);
            kernels::reference::clamp(kernels::reference::clamp_arguments<float>{.input = made,
                                                                                 .size = (end - begin) * channels(c),
                                                                                 .lowest = c.n.clamp.lowest,
                                                                                 .highest = c.n.clamp.highest,
                                                                                 .output = made});
        });
    }
    template <class Call>
    static constexpr void prepare(const Call& c) {
        const std::array<float, 2> scales{c.scale(0), c.scale(1)};
        c.constants.factor = Call::scheme::prepare(multiplier(scales, c.output_scale));
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        using arguments =
            kernels::reference::multiply_arguments<typename Call::in, typename Call::out, typename Call::scheme>;
        in_pixels(c, [&](std::size_t begin, std::size_t end) {
            kernels::reference::multiply(arguments{.first = c.input(0),
                                                   .second = c.input(1),
                                                   .of_first = factor(c, 0),
                                                   .of_second = factor(c, 1),
                                                   .channels = channels(c),
                                                   .begin = begin,
                                                   .end = end,
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
        std::fill_n(c.gradient, c.in.size(), typename Call::real{0});
        each_product(c, c.k, 1 - c.k, 0, c.n.out.pixels(), [&](std::size_t i, std::size_t own, std::size_t other) {
            c.gradient[own] += c.output_gradient[i] * c.input(1 - c.k)[other];
        });
    }

  private:
    template <class Call>
    static constexpr std::size_t channels(const Call& c) {
        return static_cast<std::size_t>(c.n.out.channels);
    }
    template <class Call>
    static constexpr auto factor(const Call& c, std::size_t k) {
        return kernels::reference::repeated_factor::of(c.input_extents(k), c.n.out);
    }
    /// f(first pixel, pixel behind the last), perhaps at once.
    template <class Call, class F>
    static constexpr void in_pixels(const Call& c, const F& f) {
        c.in_spans(static_cast<int>(c.n.out.pixels()), c.n.out.size(),
                   [&](int first, int last) { f(static_cast<std::size_t>(first), static_cast<std::size_t>(last)); });
    }
    template <class Call, class Visit>
    static constexpr void each_product(const Call& c, std::size_t first, std::size_t second, std::size_t begin,
                                       std::size_t end, const Visit& visit) {
        kernels::reference::for_each_product(factor(c, first), factor(c, second), channels(c), begin, end, visit);
    }
};

} // namespace operations

/// The product of two branches over the same input. One may be 1 x 1 x C or H x W x 1: it is repeated.
template <graph_part First, graph_part Second>
constexpr auto multiply(const First& first, const Second& second) {
    return join<operations::multiply>(first, second);
}

} // namespace statiq
