// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/arguments.hpp>
#include <statiq/kernels/blocked_convolution.hpp>
#include <statiq/kernels/lane_factors.hpp>
#include <statiq/kernels/requantize_bytes.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/broadcast_group.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Bytes times bytes, summed in int32: the integer format of `convolve_blocked`. Signed inputs are read as unsigned,
/// x + 128; `correct_bias` accounts for it.
template <class Arch, class In, class Out, class Scheme>
struct byte_format {
    using input = In;
    using weight = std::int8_t;
    using output = Out;
    using arguments = convolution_arguments<In, std::int8_t, Out, Scheme>;
    using accumulator = simd::batch<std::int32_t, Arch>;
    using weights = simd::batch<std::int8_t, Arch>;
    using inputs_batch = simd::batch<std::uint8_t, Arch>;
    static constexpr int lanes = static_cast<int>(accumulator::size);
    static constexpr int inputs = 4;
    static constexpr bool may_need_sums = true;
    static constexpr int max_vectors = simd::register_count<Arch> == 32 ? 4 : 2;

    static constexpr int tile_pixels(int vectors) noexcept {
        constexpr int operand = simd::dot_operand_registers<Arch>;
        return std::min(12, (simd::register_count<Arch> - operand * (vectors + 1) - (operand - 1)) / vectors);
    }
    static In padding(const arguments& a) noexcept { return static_cast<In>(a.input_zero_point); }

    static weights load(const std::int8_t* w) noexcept { return weights::load_unaligned(w); }
    static inputs_batch broadcast(const In* x) noexcept { return as_unsigned<Arch>(simd::broadcast_group<Arch>(x)); }
    static accumulator multiply_add(accumulator acc, inputs_batch x, weights w) noexcept {
        return simd::dot_accumulate<Arch>(acc, x, w);
    }
    static accumulator add_inputs(accumulator sums, const In* x, int count) noexcept {
        constexpr int width = 4 * lanes;
        for (int i = 0; i < count; i += width) {
            const auto left = static_cast<std::size_t>(std::min(width, count - i));
            const weights ones = simd::load_first<Arch>(ones_.data(), left);
            sums = multiply_add(sums, as_unsigned<Arch>(simd::load_first<Arch>(x + i, left)), ones);
        }
        return sums;
    }
    static std::int32_t total(accumulator sums) noexcept {
        alignas(64) std::int32_t parts[std::size_t{lanes}];
        sums.store_aligned(parts);
        return std::accumulate(std::begin(parts), std::end(parts), std::int32_t{0});
    }

    template <int Vectors>
    class outputs {
      public:
        bool needs_sums;

        outputs(const arguments& a, int channel, int count) noexcept
            : needs_sums(a.weight_zero_points != nullptr), requantize_(a), count_(static_cast<std::size_t>(count)) {
            for (int i = 0; i < Vectors * lanes; ++i) {
                const bool real = i < count;
                start_[i] = real ? a.corrected_bias[channel + i] : 0;
                if (real) factors_.set(i, a.factors[channel + i]);
                zero_points_[i] = real && needs_sums ? a.weight_zero_points[channel + i] : 0;
            }
        }

        [[nodiscard]] accumulator start(int v) const noexcept { return accumulator::load_aligned(start_ + v * lanes); }

        [[gnu::always_inline]] void finish(accumulator (&acc)[std::size_t{Vectors}], std::int32_t sum,
                                           Out* to) const noexcept {
            if (needs_sums)
                simd::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
                    acc[v] -= accumulator::load_aligned(zero_points_ + v * lanes) * accumulator(sum);
                });
            requantize_.store_consecutive(acc, factors_, to, count_);
        }

      private:
        requantize_bytes<Arch, Out> requantize_;
        std::size_t count_;
        alignas(64) std::int32_t start_[std::size_t{Vectors * lanes}];
        alignas(64) std::int32_t zero_points_[std::size_t{Vectors * lanes}];
        lane_factors<Scheme, Vectors * lanes> factors_;
    };

  private:
    static constexpr auto ones_ = [] {
        std::array<std::int8_t, std::size_t{4 * lanes}> ones{};
        for (std::int8_t& one : ones) one = 1;
        return ones;
    }();
};

} // namespace statiq::kernels::vectorized

#endif
