// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/kernels/reference/convert.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/simd/widen.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Bytes to bytes of another scale and zero point, with bits as `reference::requantize`. Made once, run on many runs of
/// values.
template <class Arch, class In, class Out, class Scheme>
class byte_requantizer {
    using words = simd::batch<std::int32_t, Arch>;
    static constexpr std::size_t width = simd::batch<In, Arch>::size;

  public:
    /// @param of arguments with `input_zero_point`, `factor`, `output_zero_point`, `lowest` and `highest`.
    template <class Arguments>
    explicit byte_requantizer(const Arguments& of) noexcept
        : zero_point_(of.input_zero_point - std::int32_t{std::numeric_limits<In>::lowest()}), requantize_(of) {
        for (std::size_t lane = 0; lane < width; ++lane) factors_.set(static_cast<int>(lane), of.factor);
    }

    [[gnu::flatten]] void run(const In* from, std::size_t size, Out* to) const noexcept {
        for (std::size_t i = 0; i < size; i += width) {
            const std::size_t count = (std::min)(width, size - i);
            const auto bytes = simd::load_first<Arch>(from + i, count);
            auto x = simd::widen<Arch>(as_unsigned<Arch>(bytes));
            simd::unroll<4>([&](auto j) { x[j] -= words(zero_point_); });
            requantize_.store_blocks(x, factors_, to + i, simd::first_lanes<Out, Arch>(count));
        }
    }

  private:
    std::int32_t zero_point_; ///< of inputs as unsigned bytes
    requantize_bytes<Arch, Out> requantize_;
    lane_factors<Scheme, static_cast<int>(width)> factors_;
};

/// Bits as `reference::clamp`, bytes.
template <class Arch, class T>
[[gnu::flatten]] void clamp(const reference::clamp_arguments<T>& of) noexcept {
    constexpr std::size_t width = simd::batch<T, Arch>::size;
    const auto lowest = static_cast<T>(of.lowest), highest = static_cast<T>(of.highest);
    for (std::size_t i = 0; i < of.size; i += width) {
        const std::size_t count = (std::min)(width, of.size - i);
        const auto bytes = simd::load_first<Arch>(of.input + i, count);
        simd::store_first<Arch>(of.output + i, simd::clamp<Arch>(bytes, lowest, highest), count);
    }
}

} // namespace statiq::kernels::vectorized

#endif
