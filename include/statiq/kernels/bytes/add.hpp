// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/kernels/reference/add.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/scale_fixed_point.hpp>
#include <statiq/simd/unroll.hpp>
#include <statiq/simd/widen.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Scheme::align in every lane, for one input of a sum. This is for any scheme: through memory, lane by lane.
template <class Arch, class Scheme>
class lane_alignment {
    using words = simd::batch<std::int32_t, Arch>;

  public:
    lane_alignment() = default;
    lane_alignment(typename Scheme::factor factor, std::int32_t zero_point, int left_shift) noexcept
        : factor_(factor), zero_point_(zero_point), left_shift_(left_shift) {}

    /// What a sum starts from for this input.
    [[nodiscard]] std::int32_t offset() const noexcept { return 0; }
    [[nodiscard]] words apply(words x) const noexcept {
        alignas(sizeof(words)) std::int32_t lanes[words::size];
        x.store_aligned(lanes);
        for (std::int32_t& lane : lanes) lane = Scheme::align(lane - zero_point_, factor_, left_shift_);
        return words::load_aligned(lanes);
    }

  private:
    typename Scheme::factor factor_{};
    std::int32_t zero_point_ = 0;
    int left_shift_ = 0;
};

template <class Arch, class Scheme>
requires std::is_same_v<Scheme, gemmlowp> || std::is_same_v<Scheme, single_rounding>
class lane_alignment<Arch, Scheme> {
    using words = simd::batch<std::int32_t, Arch>;
    static constexpr rounding_steps steps =
        std::is_same_v<Scheme, gemmlowp> ? rounding_steps::two : rounding_steps::one;

  public:
    lane_alignment() = default;
    lane_alignment(fixed_point factor, std::int32_t zero_point, int left_shift) noexcept
        : factor_(factor), zero_point_(zero_point), unit_(std::int32_t{1} << left_shift) {}

    [[nodiscard]] std::int32_t offset() const noexcept { return 0; }
    [[nodiscard]] words apply(words x) const noexcept {
        return simd::scale_fixed_point<Arch, steps>((x - words(zero_point_)) * words(unit_), words(factor_.multiplier),
                                                    words(factor_.shift));
    }

  private:
    fixed_point factor_{};
    std::int32_t zero_point_ = 0;
    std::int32_t unit_ = 0; ///< 2^left_shift
};

/// (x - z) k is x k - z k: all zero points are in what the sum starts from.
template <class Arch>
class lane_alignment<Arch, float_multiplier> {
    using words = simd::batch<std::int32_t, Arch>;

  public:
    lane_alignment() = default;
    lane_alignment(float factor, std::int32_t zero_point, int) noexcept
        : factor_(static_cast<std::int32_t>(factor)), zero_point_(zero_point) {}

    [[nodiscard]] std::int32_t offset() const noexcept { return -zero_point_ * factor_; }
    [[nodiscard]] words apply(words x) const noexcept { return x * words(factor_); }

  private:
    std::int32_t factor_ = 0;
    std::int32_t zero_point_ = 0;
};

/// Bits as `reference::add`.
template <class Arch, class In, class Out, class Scheme>
[[gnu::flatten]] void add(const reference::add_arguments<In, Out, Scheme>& sum) noexcept {
    using words = simd::batch<std::int32_t, Arch>;
    constexpr std::size_t width = simd::batch<In, Arch>::size;
    std::array<lane_alignment<Arch, Scheme>, reference::max_add_inputs> alignments;
    std::int32_t offset = 0;
    for (std::size_t k = 0; k < sum.inputs.size(); ++k) {
        const auto& input = sum.inputs[k];
        const std::int32_t zero_point = input.zero_point - std::int32_t{std::numeric_limits<In>::lowest()};
        alignments[k] = {input.factor, zero_point, sum.left_shift};
        offset += alignments[k].offset();
    }
    lane_factors<Scheme, static_cast<int>(width)> factors;
    for (std::size_t lane = 0; lane < width; ++lane) factors.set(static_cast<int>(lane), sum.factor);
    const requantize_bytes<Arch, Out> requantize(sum);
    for (std::size_t i = 0; i < sum.size; i += width) {
        const std::size_t count = (std::min)(width, sum.size - i);
        const simd::first_lanes<In, Arch> read(count);
        simd::quad<std::int32_t, Arch> acc;
        acc.fill(words(offset));
        for (std::size_t k = 0; k < sum.inputs.size(); ++k) {
            const auto x = simd::widen<Arch>(as_unsigned<Arch>(read.load(sum.inputs[k].data + i)));
            simd::unroll<4>([&](auto j) { acc[j] += alignments[k].apply(x[j]); });
        }
        requantize.store_blocks(acc, factors, sum.output + i, simd::first_lanes<Out, Arch>(count));
    }
}

} // namespace statiq::kernels::vectorized

#endif
