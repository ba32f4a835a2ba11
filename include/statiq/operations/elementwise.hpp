// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/layer.hpp>
#include <statiq/graph/shape_context.hpp>
#include <statiq/kernels/reference/look_up.hpp>
#include <statiq/numeric/affine.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace statiq {

namespace operations {

/// A real function of each value. In integers of 8 bits and less it is a table of 256, made when parameters are
/// prepared: y = clamp(round(f(s_x (q - z_x)) * (1 / s_y)) + z_y), half away from zero, in float32 as TensorFlow Lite
/// makes its tables. A NaN becomes the zero point.
/// @tparam F stateless: a `word`, which names its layers, and `float operator()(float) const`. A function that trains
/// has a `float derivative(float) const`. Functions of one word differ in a constant `fingerprint`.
template <class F>
struct elementwise {
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
        const number_format& in = c.format(0);
        const number_format& out = c.n.numbers.activation;
        const float inverse = 1.0F / c.output_map.scale;
        for (std::size_t byte = 0; byte < kernels::reference::byte_count; ++byte) {
            const auto q =
                in.is_signed() ? std::int32_t{static_cast<std::int8_t>(byte)} : static_cast<std::int32_t>(byte);
            const float x = c.map(0).scale * static_cast<float>(q - c.map(0).zero_point);
            const std::int32_t y = quantize(F{}(x)*inverse, {1.0F, c.output_map.zero_point}, out);
            auto* table = reinterpret_cast<unsigned char*>(c.table);
            const auto bytes = static_cast<std::size_t>(out.bytes());
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
};

} // namespace operations

/// Any real function of each value: `elementwise<squareplus>` (docs/extending.md).
template <class F>
inline constexpr auto elementwise = layer_of<operations::elementwise<F>>;

} // namespace statiq
