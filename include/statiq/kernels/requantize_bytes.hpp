// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/requantize.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/bit_cast.hpp>
#include <statiq/simd/clamp.hpp>
#include <statiq/simd/interleave.hpp>
#include <statiq/simd/narrow.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/scale_and_round.hpp>
#include <statiq/simd/unroll.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

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

/// Accumulators to bytes in memory, as statiq::requantize: in vector registers for `float_multiplier`, lane by lane
/// for the other schemes.
template <class Arch, class Out, class Scheme>
class requantize_bytes {
    using words = simd::batch<std::int32_t, Arch>;
    using bytes = simd::batch<Out, Arch>;
    using factor = typename Scheme::factor;
    static constexpr bool in_registers = std::is_same_v<Scheme, float_multiplier>;
    static constexpr int lanes = static_cast<int>(words::size);

  public:
    requantize_bytes() = default;
    template <class Arguments>
    explicit requantize_bytes(const Arguments& a) noexcept
        : zero_point_(a.output_zero_point), lowest_(a.lowest), highest_(a.highest) {}

    /// Lane l of acc[v] is output v * lanes + l; `factors` are aligned and in the same order. Writes `count` outputs.
    template <std::size_t Vectors>
    [[gnu::always_inline]] void store_consecutive(const words (&acc)[Vectors], const factor* factors, Out* to,
                                                  std::size_t count) const noexcept {
        static_assert(Vectors <= 4);
        if constexpr (in_registers) {
            simd::quad<std::int32_t, Arch> scaled;
            simd::unroll<4>([&](auto i) __attribute__((always_inline)) {
                constexpr int v = i < Vectors ? i : Vectors - 1;
                if constexpr (i < Vectors)
                    scaled[i] = scale(acc[v], factors + v * lanes);
                else
                    scaled[i] = scaled[v];
            });
            simd::store_first<Arch>(to, simd::from_block_order<Arch>(clamp_narrow(scaled)), count);
        } else {
            alignas(64) std::int32_t sums[std::size_t{Vectors * lanes}];
            simd::unroll<Vectors>([&](auto v) { acc[v].store_aligned(sums + v * lanes); });
            for (std::size_t i = 0; i < count; ++i) to[i] = one(sums[i], factors[i]);
        }
    }

    /// Lane l of acc[j] is output block_order(j, l); `factors` are aligned, factors[j * lanes + l] belongs to it.
    [[gnu::always_inline]] void store_blocks(const simd::quad<std::int32_t, Arch>& acc, const factor* factors, Out* to,
                                             std::size_t count) const noexcept {
        if constexpr (in_registers) {
            simd::quad<std::int32_t, Arch> scaled;
            simd::unroll<4>([&](auto j)
                                __attribute__((always_inline)) { scaled[j] = scale(acc[j], factors + j * lanes); });
            simd::store_first<Arch>(to, clamp_narrow(scaled), count);
        } else {
            alignas(64) std::int32_t sums[std::size_t{4 * lanes}];
            simd::unroll<4>([&](auto j) { acc[j].store_aligned(sums + j * lanes); });
            for (std::size_t j = 0; j < 4; ++j)
                for (std::size_t l = 0; l < lanes; ++l)
                    if (simd::block_order(j, l) < count)
                        to[simd::block_order(j, l)] = one(sums[j * lanes + l], factors[j * lanes + l]);
        }
    }

  private:
    static words scale(words acc, const float* factors) noexcept {
        return simd::scale_and_round<Arch>(acc, simd::batch<float, Arch>::load_aligned(factors));
    }
    [[nodiscard]] bytes clamp_narrow(const simd::quad<std::int32_t, Arch>& scaled) const noexcept {
        const bytes narrowed = simd::narrow<Out, Arch>(scaled, zero_point_);
        return simd::clamp<Arch>(narrowed, static_cast<Out>(lowest_), static_cast<Out>(highest_));
    }
    [[nodiscard]] Out one(std::int32_t acc, factor f) const noexcept {
        return static_cast<Out>(requantize<Scheme>(acc, f, zero_point_, lowest_, highest_));
    }

    std::int32_t zero_point_;
    std::int32_t lowest_;
    std::int32_t highest_;
};

} // namespace statiq::kernels::vectorized
