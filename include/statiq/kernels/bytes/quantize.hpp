// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/bytes/whole_runs.hpp>
#include <statiq/kernels/reference/convert.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/conversions.hpp>
#include <statiq/simd/divide.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/narrow.hpp>
#include <statiq/simd/round_half_away.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/simd/widen.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Bits as `reference::quantize` with `half_away`. The quotient is clamped before it is rounded: the bounds are
/// integers, so the order does not matter, and any float then fits the rounding.
template <class Arch, class Out>
[[gnu::flatten]] void quantize(const reference::quantize_arguments<Out>& of) noexcept {
    using floats = simd::batch<float, Arch>;
    constexpr std::size_t lanes = floats::size;
    const floats scale(of.numbers.scale);
    const std::int32_t zero_point = of.numbers.zero_point;
    const auto lowest = static_cast<float>(of.format.lowest - zero_point);
    const auto highest = static_cast<float>(of.format.highest - zero_point);
    in_whole_runs<4 * lanes>(of.input, of.output, of.size, [&](const float* from, Out* to) {
        simd::quad<std::int32_t, Arch> steps;
        simd::unroll<4>([&](auto j) {
            const floats x = simd::divide<Arch>(floats::load_unaligned(from + j * lanes), scale);
            const floats number = xsimd::select(x == x, x, floats(0.0F));
            steps[j] = simd::round_half_away<Arch>(simd::clamp<Arch>(number, lowest, highest));
        });
        simd::from_block_order<Arch>(simd::narrow<Out, Arch>(steps, zero_point)).store_unaligned(to);
    });
}

/// Bits as `reference::dequantize`: differences of bytes are exact in float, so the product is rounded once here too.
template <class Arch, class In>
[[gnu::flatten]] void dequantize(const reference::dequantize_arguments<In>& of) noexcept {
    using words = simd::batch<std::int32_t, Arch>;
    using floats = simd::batch<float, Arch>;
    constexpr std::size_t lanes = floats::size;
    const floats scale(of.numbers.scale);
    const words zero_point(of.numbers.zero_point - std::int32_t{std::numeric_limits<In>::lowest()});
    in_whole_runs<4 * lanes>(of.input, of.output, of.size, [&](const In* from, float* to) {
        const auto bytes = as_unsigned<Arch>(simd::batch<In, Arch>::load_unaligned(from));
        const auto q = simd::widen<Arch>(simd::to_block_order<Arch>(bytes));
        simd::unroll<4>(
            [&](auto j) { (scale * simd::to_float<Arch>(q[j] - zero_point)).store_unaligned(to + j * lanes); });
    });
}

} // namespace statiq::kernels::vectorized

#endif
