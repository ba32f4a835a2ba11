// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/add.hpp>
#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/simd/arch.hpp>

#include <cstddef>
#include <cstdint>

/// Requantization schemes as a user may write them: multipliers are powers of two, and scaling is a shift.
namespace support {

/// 2^-bits.
struct shift_factor {
    std::int32_t bits = 0; ///< 0 to 31
    friend constexpr bool operator==(const shift_factor&, const shift_factor&) = default;
};

/// @tparam Identifier of the scheme.
template <int Identifier>
struct shifting {
    using factor = shift_factor;
    static constexpr int identifier = Identifier;

    /// The power of two nearest to M, in logarithms; 1 if M is greater.
    [[nodiscard]] static constexpr factor prepare(double real) noexcept {
        constexpr double root_of_half = 0.70710678118654752;
        factor f;
        for (double power = 1; f.bits < 31 && real < power * root_of_half; power /= 2) ++f.bits;
        return f;
    }
    /// floor(acc / 2^bits + 1/2).
    [[nodiscard]] static constexpr std::int32_t apply(std::int32_t acc, factor f) noexcept {
        return f.bits == 0 ? acc : (acc >> f.bits) + ((acc >> (f.bits - 1)) & 1);
    }
    [[nodiscard]] static constexpr factor prepare_align(double ratio, int left) noexcept {
        const factor f = prepare(ratio);
        return {f.bits < left ? f.bits : left};
    }
    [[nodiscard]] static constexpr std::int32_t align(std::int32_t centred, factor f, int left) noexcept {
        return centred * (std::int32_t{1} << (left - f.bits));
    }
    [[nodiscard]] static constexpr factor prepare_mean(double ratio, std::int64_t count) noexcept {
        return prepare(ratio / static_cast<double>(count));
    }
};

/// Nothing but the scheme: vector kernels apply it lane by lane.
using plain_shifting = shifting<100>;
/// The same arithmetic with lanes of its own, below.
struct vector_shifting : shifting<101> {
    static constexpr std::size_t lane_bytes = 3 * sizeof(std::int32_t); ///< of `lane_factors`
};

} // namespace support

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

template <int Lanes>
class lane_factors<support::vector_shifting, Lanes> {
  public:
    void set(int lane, support::shift_factor factor) noexcept {
        bits_[lane] = factor.bits;
        halves_[lane] = factor.bits == 0 ? 0 : factor.bits - 1;
        rounds_[lane] = factor.bits == 0 ? 0 : 1;
    }
    void set_first(const support::shift_factor* from, int count) noexcept {
        for (int lane = 0; lane < count; ++lane) set(lane, from[lane]);
    }
    template <class Arch>
    [[nodiscard]] simd::batch<std::int32_t, Arch> apply(simd::batch<std::int32_t, Arch> acc, int first) const noexcept {
        using words = simd::batch<std::int32_t, Arch>;
        const auto at = [first](const std::int32_t* from) { return words::load_aligned(from + first); };
        return (acc >> at(bits_)) + ((acc >> at(halves_)) & at(rounds_));
    }

  private:
    alignas(64) std::int32_t bits_[std::size_t{Lanes}] = {};
    alignas(64) std::int32_t halves_[std::size_t{Lanes}] = {};
    alignas(64) std::int32_t rounds_[std::size_t{Lanes}] = {};
};

template <class Arch>
class lane_alignment<Arch, support::vector_shifting> {
    using words = simd::batch<std::int32_t, Arch>;

  public:
    lane_alignment() = default;
    lane_alignment(support::shift_factor factor, std::int32_t zero_point, int left_shift) noexcept
        : unit_(std::int32_t{1} << (left_shift - factor.bits)), zero_point_(zero_point) {}

    [[nodiscard]] std::int32_t offset() const noexcept { return -zero_point_ * unit_; }
    [[nodiscard]] words apply(words x) const noexcept { return x * words(unit_); }

  private:
    std::int32_t unit_ = 0;
    std::int32_t zero_point_ = 0;
};

} // namespace statiq::kernels::vectorized

#endif
