// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/operations/function_in_integers.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace statiq {

namespace detail {
/// What an operation says whose output numbers are fixed, and nothing where they are not.
template <class F, bool Fixed>
struct output_numbers {};
template <class F>
struct output_numbers<F, true> {
    static constexpr affine fixed_output(const number_format& format) { return F::fixed_output(format); }
};

} // namespace detail

namespace operations {

/// A real function of each value. Integers of up to 8 bits are looked up in a table of 256, made when parameters are
/// prepared: y = clamp(round(f(s_x (q - z_x)) * (1 / s_y)) + z_y), half away from zero, in float32 as TensorFlow Lite
/// makes its tables. A NaN becomes the zero point. Integers of 9 to 16 bits lie between two of 513 entries
/// (kernels/reference/interpolate.hpp).
/// @tparam F stateless: a `word`, which names its layers, and `float operator()(float) const`. It may also have
/// - `float derivative(float) const`: then it trains;
/// - a constant `fingerprint`, in which functions of one word differ;
/// - `affine fixed_output(number_format)`, static: the scale and the zero point of its output `with_fixed_numbers`;
/// and rules that the scheme `gemmlowp` follows, which stands for TensorFlow Lite's bits:
/// - `std::optional<std::int32_t> tensorflow_lite(q - z_x, function_numbers)`, static: what that makes of an integer of
///   up to 8 bits, less the output's zero point and before the clamp; empty where it has no rule for these numbers;
/// - `of_shorts`, a type of plain bytes made from `function_numbers`: the same of signed 16-bit integers, by its
///   operator(). A function with a `fixed_output` has this rule with these numbers only.
/// @tparam FixedNumbers whether its output has fixed numbers
template <class F, bool FixedNumbers = false>
struct elementwise : function_in_integers<F, FixedNumbers>, detail::output_numbers<F, FixedNumbers> {
    static constexpr bool trains = requires(F f) { f.derivative(0.0F); };
    static constexpr std::string_view word = F::word;
    static constexpr std::uint64_t fingerprint = [] {
        if constexpr (requires { F::fingerprint; })
            return F::fingerprint;
        else
            return std::uint64_t{0};
    }();
    static constexpr operation_traits traits{.rounds = true, .keeps_input = trains};

    static constexpr void shape(shape_context&) {}
    static constexpr interval sums(const node&, const number_format&) { return {}; }
    /// Scales go into the table, and into no multiplier.
    static constexpr double multiplier(std::span<const float>, float) { return 0; }

    template <class Call>
    static void reals(const Call& c) noexcept {
        const float* in = c.input(0);
        c.in_runs([&](std::size_t first, std::size_t count) {
            for (std::size_t i = first; i < first + count; ++i) c.output[i] = F{}(in[i]);
        });
    }

    template <class Call>
    requires trains static void gradient(const Call& c) {
        using real = typename Call::real;
        for (std::size_t i = 0; i < c.n.out.size(); ++i)
            c.gradient[i] = c.output_gradient[i] * static_cast<real>(F{}.derivative(static_cast<float>(c.input(0)[i])));
    }
};

} // namespace operations

/// Any real function of each value: `elementwise<squareplus>` (docs/extending.md).
template <class F>
inline constexpr auto elementwise = layer_of<operations::elementwise<F>>;

namespace detail {
/// The operation that an operation becomes when its output numbers are fixed.
template <class Op>
struct with_output_fixed {
    static constexpr bool possible = false;
    using type = Op;
};
template <class F, bool Fixed>
struct with_output_fixed<operations::elementwise<F, Fixed>> {
    static constexpr bool possible = has_fixed_output<F>;
    using type = operations::elementwise<F, possible>;
};
} // namespace detail

/// A function whose output has the scale and the zero point that its kind fixes, whatever was calibrated:
/// `with_fixed_numbers(sigmoid)` has 1/256 and the lowest integer in 8 bits, as in TensorFlow Lite.
template <class Word>
constexpr auto with_fixed_numbers(const layer<Word>&) {
    using fixed = detail::with_output_fixed<typename Word::operation>;
    static_assert(fixed::possible,
                  "statiq: with_fixed_numbers is for functions that have a fixed_output, as sigmoid and tanh do");
    return layer_of<typename fixed::type>;
}

} // namespace statiq
