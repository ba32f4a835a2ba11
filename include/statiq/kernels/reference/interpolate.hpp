// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/numeric/affine.hpp>
#include <statiq/numeric/rounding.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace statiq::kernels::reference {

/// A function from int16 to int16 by its values at every 128th integer: TensorFlow Lite's tables of 513 entries.
struct interpolated_table {
    static constexpr int intervals = 512;
    std::array<std::int16_t, intervals + 1> entries{};

    /// Between two entries, halves up.
    [[nodiscard]] constexpr std::int32_t operator()(std::int32_t x) const noexcept {
        const auto i = static_cast<std::size_t>((x >> 7) + intervals / 2);
        const std::int32_t from = entries[i];
        return from + (((entries[i + 1] - from) * (x & 127) + 64) >> 7);
    }
};

namespace detail {

/// Half away from zero; within +-2^30, beyond which every entry is clamped. A NaN gives 0.
[[nodiscard]] constexpr float nearest(float x) noexcept {
    constexpr std::int64_t limit = std::int64_t{1} << 30;
    return static_cast<float>(std::clamp(half_away{}(static_cast<double>(x)), -limit, limit));
}
/// a b + c, rounded to float twice, whatever compilers contract.
[[nodiscard]] constexpr float multiply_then_add(float a, float b, float c) noexcept {
    const auto product = static_cast<float>(static_cast<double>(a) * static_cast<double>(b));
    return static_cast<float>(static_cast<double>(product) + static_cast<double>(c));
}
[[nodiscard]] constexpr float multiply_once(float a, float b) noexcept { return multiply_then_add(a, b, 0.0F); }

} // namespace detail

/// The table of a real function, every operation in float32 as TensorFlow Lite's. An entry is the function's value less
/// half of what the middle of the straight line to the next entry is wrong by.
/// @param input, output the numbers of int16 on both sides. Where the output's zero point is 0, these are TensorFlow
/// Lite's bits.
template <class F>
[[nodiscard]] constexpr interpolated_table interpolate(F&& f, const affine& input, const affine& output) {
    constexpr std::int32_t lowest = -32768, highest = 32767;
    constexpr int intervals = interpolated_table::intervals;
    const auto end = [&](std::int32_t q) {
        return detail::multiply_once(input.scale, static_cast<float>(q - input.zero_point));
    };
    const float from = end(lowest), to = end(highest);
    const float step = (to - from) / static_cast<float>(intervals);
    const float inverse =
        65536.0F / (detail::multiply_once(output.scale, 32767.0F) - detail::multiply_once(output.scale, -32768.0F));
    const auto entry = [&](float steps) {
        const float inside = std::clamp(steps, -0x1p20F, 0x1p20F);
        return static_cast<std::int16_t>(
            std::clamp(static_cast<std::int32_t>(inside) + output.zero_point, lowest, highest));
    };
    const auto steps_of = [&](float y) { return detail::nearest(detail::multiply_once(y, inverse)); };
    interpolated_table table;
    for (int i = 0; i < intervals; ++i) {
        const auto place = static_cast<float>(i);
        const float left = detail::multiply_then_add(place, step, from);
        const float here = steps_of(f(left));
        const float middle = steps_of(f(left + step / 2.0F));
        const float next = f(detail::multiply_then_add(place + 1.0F, step, from));
        const float on_the_line = detail::nearest(detail::multiply_then_add(next, inverse, here) / 2.0F);
        const float error = on_the_line - middle;
        table.entries[static_cast<std::size_t>(i)] = entry(here - detail::nearest(error / 2.0F));
    }
    table.entries[intervals] = entry(steps_of(f(to)));
    return table;
}

/// What a function of 9 to 16 bits by an interpolated table reads and writes. Integers of fewer bits are the upper bits
/// of int16.
template <stored_integer In, stored_integer Out>
requires(sizeof(In) == 2) struct interpolate_arguments {
    const In* input = nullptr;
    std::size_t size = 0;
    const interpolated_table* table = nullptr;
    std::int32_t input_offset = 0; ///< subtracted: half the range of unsigned integers
    int input_shift = 0;           ///< then shifted left: 16 - bits
    std::int32_t output_offset = 0;
    int output_shift = 0;
    std::int32_t lowest = 0;
    std::int32_t highest = 0;
    Out* output = nullptr; ///< may be the input, if of its type
};

/// y = clamp(round(table((x - input offset) * 2^input shift) / 2^output shift) + output offset), halves up.
template <stored_integer In, stored_integer Out>
constexpr void interpolate(const interpolate_arguments<In, Out>& of) noexcept {
    const std::int32_t half = (std::int32_t{1} << of.output_shift) >> 1;
    for (std::size_t i = 0; i < of.size; ++i) {
        const std::int32_t y = (*of.table)((of.input[i] - of.input_offset) * (std::int32_t{1} << of.input_shift));
        of.output[i] =
            static_cast<Out>(std::clamp(((y + half) >> of.output_shift) + of.output_offset, of.lowest, of.highest));
    }
}

} // namespace statiq::kernels::reference
