// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/compose.hpp>
#include <statiq/graph/layer.hpp>
#include <statiq/graph/parameters.hpp>
#include <statiq/graph/shape_context.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace own {

namespace sq = statiq;

/// y = w a + (1 - w) b, channel by channel: two tensors of one shape, mixed by shares of its own. In integers the
/// shares are parts of 2^14 whose scales are the inputs' to the output's, and their sum is rounded half up.
struct mix {
    static constexpr std::string_view word = "mix";
    static constexpr sq::operation_traits traits{
        .joins = true, .rounds = true, .keeps_input = true, .channels = sq::channel_flow::summed};
    static constexpr std::size_t shares(const sq::node& n) { return static_cast<std::size_t>(n.out.channels); }
    static constexpr std::array<sq::parameter_tensor, 1> tensors{
        {{"share", &sq::layer_parameters::weight, shares, 0.5F}}};

    static constexpr void shape(sq::shape_context& c) {
        c.require_equal_pixels();
        if (c.n.input_count != 2) c.report(sq::defect::joined, {2}, {c.n.input_count});
        if (c.inputs[1].channels != c.n.in.channels)
            c.report(sq::defect::channels, {c.n.in.channels}, {c.inputs[1].channels});
    }
    /// Two products with shares of at most 2^20 (clamped there), and half of 2^14.
    static constexpr sq::interval sums(const sq::node&, const sq::number_format& input) {
        return hull(centred(input), sq::interval{}).times(2 * most_share) + sq::interval{0, 1 << 13};
    }

    template <class Call>
    static void reals(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i) {
            const float w = c.parameters.weights[i % shares(c.n)];
            c.output[i] = w * c.input(0)[i] + (1.0F - w) * c.input(1)[i];
        }
    }
    static constexpr std::size_t table_size(const sq::node& n, const sq::number_format&) { return 2 * shares(n); }
    template <class Call>
    static void fill_table(const Call& c) {
        for (std::size_t i = 0; i < 2 * shares(c.n); ++i) {
            const float w = c.reals->weight[i / 2];
            const double ratio = double{c.map(i % 2).scale} / double{c.output_map.scale};
            const double share = std::nearbyint(double{i % 2 == 0 ? w : 1.0F - w} * ratio * 0x1p14);
            c.table[i] = static_cast<float>(std::clamp(share, -double{most_share}, double{most_share}));
        }
    }
    template <class Call>
    static void integers(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i) {
            const float* share = c.table + 2 * (i % shares(c.n));
            std::int32_t sum = 1 << 13;
            for (std::size_t k = 0; k < 2; ++k)
                sum += static_cast<std::int32_t>(share[k]) * (c.input(k)[i] - c.zero_point(k));
            const std::int32_t y = (sum >> 14) + c.constants.output.zero_point;
            c.output[i] = static_cast<typename Call::out>(std::clamp(y, c.constants.lowest, c.constants.highest));
        }
    }
    template <class Call>
    static void gradient(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i) {
            const auto w = c.parameters[i % shares(c.n)];
            c.gradient[i] = (c.k == 0 ? w : 1 - w) * c.output_gradient[i];
        }
    }
    template <class Call>
    static void parameter_gradient(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i)
            c.gradient[i % shares(c.n)] += c.output_gradient[i] * (c.input(0)[i] - c.input(1)[i]);
    }

  private:
    static constexpr std::int32_t most_share = 1 << 20;
};

template <sq::graph_part A, sq::graph_part B>
constexpr auto mixed(const A& a, const B& b) {
    return sq::join<mix>(a, b);
}

} // namespace own
