// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/node.hpp>
#include <statiq/kernels/reference/interpolate.hpp>
#include <statiq/kernels/reference/look_up.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/requantize.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
/// Whether it has one for integers of 16 bits.
template <class F>
inline constexpr bool has_rule_of_shorts = requires {
    typename F::of_shorts;
};
/// Whether a function has output numbers that depend on no data.
template <class F>
inline constexpr bool has_fixed_output = requires(const number_format& format) {
    F::fixed_output(format);
};
} // namespace detail

namespace operations {

/// A function in integers: its table in the node's parameters, and what reads it.
template <class F, bool FixedNumbers>
struct function_in_integers {
    /// One integer for each byte an input may be, or what a rule or the interpolation of 16-bit integers reads.
    static constexpr std::size_t table_size(const node& n, const number_format& input) {
        std::size_t bytes = kernels::reference::byte_count * static_cast<std::size_t>(n.numbers.activation.bytes());
        if (input.bits > 8) {
            bytes = sizeof(kernels::reference::interpolated_table);
            if constexpr (detail::has_rule_of_shorts<F>) bytes = (std::max)(bytes, sizeof(typename F::of_shorts));
        }
        return (bytes + sizeof(float) - 1) / sizeof(float);
    }
    template <class Call>
    static void fill_table(const Call& c) {
        const function_numbers numbers{c.map(0), c.output_map, c.format(0), c.n.numbers.activation};
        if (numbers.input_format.bits <= 8) return fill_bytes<typename Call::scheme>(numbers, c.table);
        if constexpr (rule_of_shorts<typename Call::scheme>)
            if (of_shorts(numbers.input_format) && of_shorts(numbers.output_format))
                return store(typename F::of_shorts(numbers), c.table);
        store(kernels::reference::interpolate(F{}, as_short(numbers.input, numbers.input_format),
                                              as_short(numbers.output, numbers.output_format)),
              c.table);
    }
    template <class Call>
    static void integers(const Call& c) noexcept {
        if constexpr (sizeof(typename Call::in) == 1)
            look_up(c);
        else
            between_entries(c);
    }

  private:
    template <class Scheme>
    static constexpr bool rule_of_shorts = std::is_same_v<Scheme, gemmlowp>&& detail::has_rule_of_shorts<F> &&
                                           (FixedNumbers || !detail::has_fixed_output<F>);
    static constexpr bool of_shorts(const number_format& format) { return format.bits == 16 && format.is_signed(); }

    /// Half the range of unsigned integers, which lies at 0 in int16.
    static constexpr std::int32_t centre(const number_format& format) {
        return format.is_signed() ? 0 : 1 << (format.bits - 1);
    }
    /// A format's numbers, where its integers are the upper bits of int16.
    static affine as_short(const affine& numbers, const number_format& format) {
        const std::int32_t unit = 1 << (16 - format.bits);
        return {numbers.scale / static_cast<float>(unit), (numbers.zero_point - centre(format)) * unit};
    }
    /// Not inlined: GCC 12 would warn of this copy in networks whose tables of bytes have less room, where it is not
    /// reached.
    template <class Table>
    [[gnu::noinline]] static void store(const Table& made, float* table) {
        static_assert(std::is_trivially_copyable_v<Table>);
        std::memcpy(table, &made, sizeof(made));
    }
    template <class Table>
    static Table stored(const float* table) noexcept {
        Table made;
        std::memcpy(static_cast<void*>(&made), table, sizeof(made));
        return made;
    }

    template <class Scheme>
    static void fill_bytes(const function_numbers& numbers, float* floats) {
        auto* table = reinterpret_cast<unsigned char*>(floats);
        const auto bytes = static_cast<std::size_t>(numbers.output_format.bytes());
        for (std::size_t byte = 0; byte < kernels::reference::byte_count; ++byte) {
            const auto q = numbers.input_format.is_signed() ? std::int32_t{static_cast<std::int8_t>(byte)}
                                                            : static_cast<std::int32_t>(byte);
            const std::int32_t y = entry<Scheme>(q, numbers);
            if (bytes == 1) {
                table[byte] = static_cast<unsigned char>(y);
            } else {
                const auto wide = static_cast<std::uint16_t>(y);
                std::memcpy(table + 2 * byte, &wide, 2);
            }
        }
    }
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

    template <class Call>
    static void look_up(const Call& c) noexcept {
        using arguments = kernels::reference::look_up_arguments<typename Call::in, typename Call::out>;
        c.in_runs([&](std::size_t first, std::size_t count) {
            c.kernels.look_up(arguments{.input = c.input(0) + first,
                                        .size = count,
                                        .table = reinterpret_cast<const unsigned char*>(c.table),
                                        .output = c.output + first});
        });
    }
    template <class Call>
    static void between_entries(const Call& c) noexcept {
        using arguments = kernels::reference::interpolate_arguments<typename Call::in, typename Call::out>;
        const number_format& from = c.nodes[c.n.input()].numbers.activation;
        const number_format& to = c.n.numbers.activation;
        if constexpr (rule_of_shorts<typename Call::scheme>)
            if (of_shorts(from) && of_shorts(to)) return by_rule(c);
        const auto table = stored<kernels::reference::interpolated_table>(c.table);
        c.in_runs([&](std::size_t first, std::size_t count) {
            kernels::reference::interpolate(arguments{.input = c.input(0) + first,
                                                      .size = count,
                                                      .table = &table,
                                                      .input_offset = centre(from),
                                                      .input_shift = 16 - from.bits,
                                                      .output_offset = centre(to),
                                                      .output_shift = 16 - to.bits,
                                                      .lowest = to.lowest,
                                                      .highest = to.highest,
                                                      .output = c.output + first});
        });
    }
    template <class Call>
    static void by_rule(const Call& c) noexcept {
        const auto rule = stored<typename F::of_shorts>(c.table);
        const number_format& to = c.n.numbers.activation;
        c.in_runs([&](std::size_t first, std::size_t count) {
            for (std::size_t i = first; i < first + count; ++i)
                c.output[i] = static_cast<typename Call::out>(std::clamp(
                    rule(c.input(0)[i] - c.zero_point(0)) + c.constants.output.zero_point, to.lowest, to.highest));
        });
    }
};

} // namespace operations

} // namespace statiq
