// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/backward/pointwise.hpp>
#include <statiq/kernels/reference/convert.hpp>

#include <cstddef>
#include <string_view>

namespace statiq {

namespace operations {

/// Every value clamped to the node's interval: relu is [0, infinity].
struct clamp {
    static constexpr std::string_view word = "clamp";
    static constexpr operation_traits traits{
        .clamps = true, .keeps_numbers = true, .keeps_output = true, .gradient_stays = true};

    static constexpr std::string_view word_of(const node& n) { return n.clamp.bounds() ? to_string(n.clamp) : word; }
    static constexpr void shape(shape_context& c) { c.n.clamp = c.spec.clamp; }
    static constexpr interval sums(const node&, const number_format&) { return {}; }

    template <class Call>
    static constexpr void reals(const Call& c) noexcept {
        run(c, c.n.clamp.lowest, c.n.clamp.highest, [](const auto& of) { kernels::reference::clamp(of); });
    }
    template <class Call>
    static constexpr void integers(const Call& c) noexcept {
        run(c, c.constants.lowest, c.constants.highest, [&](const auto& of) { c.kernels.clamp(of); });
    }
    template <class Call>
    static void gradient(const Call& c) {
        using real = typename Call::real;
        kernels::reference::clamp_gradient(c.output, c.output_gradient, c.n.out.size(), real{c.n.clamp.lowest},
                                           real{c.n.clamp.highest}, c.gradient);
    }

  private:
    template <class Call, class Limit, class Kernel>
    static constexpr void run(const Call& c, Limit lowest, Limit highest, const Kernel& kernel) {
        c.in_runs([&](std::size_t first, std::size_t count) {
            kernel(kernels::reference::clamp_arguments<typename Call::in>{.input = c.input(0) + first,
                                                                          .size = count,
                                                                          .lowest = lowest,
                                                                          .highest = highest,
                                                                          .output = c.output + first});
        });
    }
};

} // namespace operations

namespace detail {
template <real Lowest, real Highest>
constexpr real_clamp interval_of_reals() {
    static_assert(Lowest.value <= Highest.value, "statiq: a clamp's lowest value is at most its highest");
    return {Lowest.value, Highest.value};
}
} // namespace detail

namespace vocabulary {
/// Clang 14 has no floats as template arguments: an interval is a constant.
template <real_clamp Clamp>
struct clamp {
    using operation = operations::clamp;
    static constexpr layer_spec spec{.clamp = Clamp};
};
} // namespace vocabulary

inline constexpr layer<vocabulary::clamp<relu_clamp>> relu{};
inline constexpr layer<vocabulary::clamp<relu6_clamp>> relu6{};
inline constexpr layer<vocabulary::clamp<relu_n1_to_1_clamp>> relu_n1_to_1{};
/// Any interval: `clamp<0.0, 4.0>`.
template <detail::real Lowest, detail::real Highest>
inline constexpr layer<vocabulary::clamp<detail::interval_of_reals<Lowest, Highest>()>> clamp{};

} // namespace statiq
