// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/look_up.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/requantize.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace statiq {

/// The numbers between which a function is computed.
struct function_numbers {
    affine input{};
    affine output{};
    number_format input_format{};
    number_format output_format{};
};

namespace detail {
/// Whether a function has a rule for integers.
template <class F>
inline constexpr bool has_integer_rule = requires(std::int32_t centred, const function_numbers& numbers) {
    F::tensorflow_lite(centred, numbers);
};
/// Whether a function has output numbers that depend on no data.
template <class F>
inline constexpr bool has_fixed_output = requires(const number_format& format) {
    F::fixed_output(format);
};
/// What an operation says whose output numbers are fixed, and nothing where they are not.
template <class F, bool Fixed>
struct output_numbers {};
template <class F>
struct output_numbers<F, true> {
    static constexpr affine fixed_output(const number_format& format) { return F::fixed_output(format); }
};

} // namespace detail

namespace operations {

/// A real function of each value. In integers of 8 bits and less it is a table of 256, made when parameters are
/// prepared: y = clamp(round(f(s_x (q - z_x)) * (1 / s_y)) + z_y), half away from zero, in float32 as TensorFlow Lite
/// makes its tables. A NaN becomes the zero point.
/// @tparam F stateless: a `word`, which names its layers, and `float operator()(float) const`. It may also have
/// - `float derivative(float) const`: then it trains;
/// - a constant `fingerprint`, in which functions of one word differ;
/// - `std::optional<std::int32_t> tensorflow_lite(q - z_x, function_numbers)`, static: what TensorFlow Lite makes of
///   an integer, less the output's zero point and before the clamp; empty where it has no rule for these numbers. The
///   scheme `gemmlowp` fills tables by it;
/// - `affine fixed_output(number_format)`, static: the scale and the zero point of its output `with_fixed_numbers`.
/// @tparam FixedNumbers whether its output has these, and no others
template <class F, bool FixedNumbers = false>
struct elementwise : detail::output_numbers<F, FixedNumbers> {
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
    static constexpr number_defect find_defect(const node&, const number_format& input) {
        return input.bits > 8 ? number_defect::table_inputs : number_defect::none;
    }

    template <class Call>
    static void reals(const Call& c) noexcept {
        const float* in = c.input(0);
        c.in_runs([&](std::size_t first, std::size_t count) {
            for (std::size_t i = first; i < first + count; ++i) c.output[i] = F{}(in[i]);
        });
    }

    /// One integer for each byte an input may be, in floats' memory.
    static constexpr std::size_t table_size(const node& n) {
        return kernels::reference::byte_count * static_cast<std::size_t>(n.numbers.activation.bytes()) / sizeof(float);
    }
    template <class Call>
    static void fill_table(const Call& c) {
        const function_numbers numbers{c.map(0), c.output_map, c.format(0), c.n.numbers.activation};
        auto* table = reinterpret_cast<unsigned char*>(c.table);
        const auto bytes = static_cast<std::size_t>(numbers.output_format.bytes());
        for (std::size_t byte = 0; byte < kernels::reference::byte_count; ++byte) {
            const auto q = numbers.input_format.is_signed() ? std::int32_t{static_cast<std::int8_t>(byte)}
                                                            : static_cast<std::int32_t>(byte);
            const std::int32_t y = entry<typename Call::scheme>(q, numbers);
            if (bytes == 1) {
                table[byte] = static_cast<unsigned char>(y);
            } else {
                const auto wide = static_cast<std::uint16_t>(y);
                std::memcpy(table + 2 * byte, &wide, 2);
            }
        }
    }
    template <class Call>
    static void integers(const Call& c) noexcept {
        using in = typename Call::in;
        using out = typename Call::out;
        if constexpr (sizeof(in) == 1)
            c.in_runs([&](std::size_t first, std::size_t count) {
                c.kernels.look_up(kernels::reference::look_up_arguments<in, out>{
                    .input = c.input(0) + first,
                    .size = count,
                    .table = reinterpret_cast<const unsigned char*>(c.table),
                    .output = c.output + first});
            });
    }

    template <class Call>
    requires trains static void gradient(const Call& c) {
        using real = typename Call::real;
        for (std::size_t i = 0; i < c.n.out.size(); ++i)
            c.gradient[i] = c.output_gradient[i] * static_cast<real>(F{}.derivative(static_cast<float>(c.input(0)[i])));
    }

  private:
    template <class Scheme>
    static std::int32_t entry(std::int32_t q, const function_numbers& numbers) {
        const std::int32_t centred = q - numbers.input.zero_point;
        if constexpr (detail::has_integer_rule<F> && std::is_same_v<Scheme, gemmlowp>)
            if (const auto y = F::tensorflow_lite(centred, numbers))
                return std::clamp(*y + numbers.output.zero_point, numbers.output_format.lowest,
                                  numbers.output_format.highest);
        const float x = numbers.input.scale * static_cast<float>(centred);
        return quantize(F{}(x) * (1.0F / numbers.output.scale), {1.0F, numbers.output.zero_point},
                        numbers.output_format);
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
