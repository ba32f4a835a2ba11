// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/lane_factors.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/narrow.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// A register of inputs as the unsigned operand of the dot product: x - lowest of In.
template <class Arch, class In>
[[nodiscard]] inline simd::batch<std::uint8_t, Arch>
as_unsigned(xsimd::batch<In, simd::register_arch<Arch>> x) noexcept {
    if constexpr (std::is_signed_v<In>)
        return simd::bit_cast<std::uint8_t>(x ^ decltype(x)(In{-128}));
    else
        return x;
}

/// Accumulators to bytes in memory, as statiq::requantize, in vector registers.
template <class Arch, class Out>
class requantize_bytes {
    using words = simd::batch<std::int32_t, Arch>;
    using bytes = simd::batch<Out, Arch>;
    static constexpr int lanes = static_cast<int>(words::size);

  public:
    requantize_bytes() = default;
    template <class Arguments>
    explicit requantize_bytes(const Arguments& a) noexcept
        : zero_point_(a.output_zero_point), lowest_(static_cast<Out>(a.lowest)), highest_(static_cast<Out>(a.highest)) {
    }

    /// Lane l of acc[v] is output v * lanes + l, as in `factors`. Writes `count` outputs.
    template <std::size_t Vectors, class Factors>
    [[gnu::always_inline]] void store_consecutive(const words (&acc)[Vectors], const Factors& factors, Out* to,
                                                  std::size_t count) const noexcept {
        static_assert(Vectors <= 4);
        simd::quad<std::int32_t, Arch> scaled;
        simd::unroll<4>([&](auto i) __attribute__((always_inline)) {
            constexpr std::size_t v = i < Vectors ? i : Vectors - 1;
            if constexpr (i < Vectors)
                scaled[i] = factors.template apply<Arch>(acc[v], i * lanes);
            else
                scaled[i] = scaled[v];
        });
        simd::store_first<Arch>(to, simd::from_block_order<Arch>(narrow(scaled)), count);
    }

    /// Lane l of acc[j] is output block_order(j, l), and lane j * lanes + l of `factors`.
    template <class Factors>
    [[gnu::always_inline]] void store_blocks(const simd::quad<std::int32_t, Arch>& acc, const Factors& factors, Out* to,
                                             std::size_t count) const noexcept {
        simd::quad<std::int32_t, Arch> scaled;
        simd::unroll<4>([&](auto j) __attribute__((always_inline)) {
            scaled[j] = factors.template apply<Arch>(acc[j], j * lanes);
        });
        simd::store_first<Arch>(to, narrow(scaled), count);
    }

  private:
    [[gnu::always_inline]] bytes narrow(const simd::quad<std::int32_t, Arch>& scaled) const noexcept {
        return simd::clamp<Arch>(simd::narrow<Out, Arch>(scaled, zero_point_), lowest_, highest_);
    }

    std::int32_t zero_point_;
    Out lowest_;
    Out highest_;
};

} // namespace statiq::kernels::vectorized

#endif
