// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/numeric/requantize.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/scale_and_round.hpp>
#include <statiq/simd/scale_fixed_point.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// A requantization scheme's factors, one per lane of some registers, and Scheme::apply in every lane (up to the ends
/// of int32, which no output of 8 bits tells apart). This is for any scheme: through memory, lane by lane. A scheme
/// that is to be as fast as the library's own has a specialization, and one of `lane_alignment` (kernels/bytes/add.hpp)
/// if its sums are to be; both compute the same bits as the scheme's functions.
template <class Scheme, int Lanes>
class lane_factors {
  public:
    void set(int lane, typename Scheme::factor factor) noexcept { factors_[lane] = factor; }
    void set_first(const typename Scheme::factor* from, int count) noexcept { std::copy_n(from, count, factors_); }

    /// acc are the lanes from `first`.
    template <class Arch>
    [[nodiscard]] simd::batch<std::int32_t, Arch> apply(simd::batch<std::int32_t, Arch> acc, int first) const noexcept {
        using words = simd::batch<std::int32_t, Arch>;
        alignas(sizeof(words)) std::int32_t lanes[words::size];
        acc.store_aligned(lanes);
        for (std::int32_t& lane : lanes) lane = Scheme::apply(lane, factors_[first++]);
        return words::load_aligned(lanes);
    }

  private:
    typename Scheme::factor factors_[std::size_t{Lanes}] = {};
};

// In large programs GCC 12 would call what every output applies, even where its callers are flattened.

template <int Lanes>
class lane_factors<float_multiplier, Lanes> {
  public:
    void set(int lane, float factor) noexcept {
        factors_[lane] = factor;
        saturates_ = saturates_ || factor >= 1.0F;
    }
    void set_first(const float* from, int count) noexcept {
        std::copy_n(from, count, factors_);
        saturates_ = std::any_of(factors_, factors_ + Lanes, [](float factor) { return factor >= 1.0F; });
    }

    template <class Arch>
    [[nodiscard]] [[gnu::always_inline]] simd::batch<std::int32_t, Arch> apply(simd::batch<std::int32_t, Arch> acc,
                                                                               int first) const noexcept {
        const auto factor = simd::batch<float, Arch>::load_aligned(factors_ + first);
        if (saturates_) [[unlikely]]
            return simd::scale_and_round_saturated<Arch>(acc, factor);
        return simd::scale_and_round<Arch>(acc, factor);
    }

  private:
    alignas(64) float factors_[std::size_t{Lanes}] = {};
    bool saturates_ = false; ///< a factor below 1 takes no int32 out of its range
};

template <class Scheme, int Lanes>
requires std::is_same_v<Scheme, gemmlowp> || std::is_same_v<Scheme, single_rounding>
class lane_factors<Scheme, Lanes> {
    static constexpr rounding_steps steps =
        std::is_same_v<Scheme, gemmlowp> ? rounding_steps::two : rounding_steps::one;

  public:
    void set(int lane, fixed_point factor) noexcept {
        multipliers_[lane] = factor.multiplier;
        shifts_[lane] = factor.shift;
    }
    void set_first(const fixed_point* from, int count) noexcept {
        for (int lane = 0; lane < count; ++lane) set(lane, from[lane]);
    }

    template <class Arch>
    [[nodiscard]] [[gnu::always_inline]] simd::batch<std::int32_t, Arch> apply(simd::batch<std::int32_t, Arch> acc,
                                                                               int first) const noexcept {
        using words = simd::batch<std::int32_t, Arch>;
        return simd::scale_fixed_point<Arch, steps>(acc, words::load_aligned(multipliers_ + first),
                                                    words::load_aligned(shifts_ + first));
    }

  private:
    alignas(64) std::int32_t multipliers_[std::size_t{Lanes}] = {};
    alignas(64) std::int32_t shifts_[std::size_t{Lanes}] = {};
};

} // namespace statiq::kernels::vectorized

#endif
