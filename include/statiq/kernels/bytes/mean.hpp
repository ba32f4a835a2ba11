// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/kernels/reference/mean.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Bits as `reference::mean`. Four pixels of a channel, interleaved, are one lane of a dot product with ones.
template <class Arch, class In, class Out, class Scheme>
[[gnu::flatten]] void mean(const reference::mean_arguments<In, Out, Scheme>& of) noexcept {
    using words = simd::batch<std::int32_t, Arch>;
    using unsigned_bytes = simd::batch<std::uint8_t, Arch>;
    constexpr std::size_t width = unsigned_bytes::size;
    const auto channels = static_cast<std::size_t>(of.in.channels);
    const std::size_t pixels = of.in.pixels();
    const std::int32_t zero_point = of.input_zero_point - std::int32_t{std::numeric_limits<In>::lowest()};
    const simd::batch<std::int8_t, Arch> ones(std::int8_t{1});
    lane_factors<Scheme, static_cast<int>(width)> factors;
    for (std::size_t lane = 0; lane < width; ++lane) factors.set(static_cast<int>(lane), of.factor);
    const requantize_bytes<Arch, Out> requantize(of);
    for (std::size_t first = 0; first < channels; first += width) {
        const std::size_t count = (std::min)(width, channels - first);
        const simd::first_lanes<In, Arch> read(count);
        simd::quad<std::int32_t, Arch> sums;
        sums.fill(words(-zero_point * static_cast<std::int32_t>(pixels)));
        for (std::size_t pixel = 0; pixel < pixels; pixel += 4) {
            const auto row = [&](std::size_t p) {
                return p < pixels ? as_unsigned<Arch>(read.load(of.input + p * channels + first))
                                  : unsigned_bytes(std::uint8_t{0});
            };
            const auto x = simd::interleave<Arch>(row(pixel), row(pixel + 1), row(pixel + 2), row(pixel + 3));
            simd::unroll<4>([&](auto j) { sums[j] = simd::dot_accumulate<Arch>(sums[j], x[j], ones); });
        }
        requantize.store_blocks(sums, factors, of.output + first, simd::first_lanes<Out, Arch>(count));
    }
}

} // namespace statiq::kernels::vectorized

#endif
