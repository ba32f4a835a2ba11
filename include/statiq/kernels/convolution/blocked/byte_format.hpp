// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/blocked/checked_steps.hpp>
#include <statiq/kernels/convolution/blocked/input_masks.hpp>
#include <statiq/kernels/convolution/blocked/loop.hpp>
#include <statiq/kernels/convolution/blocked/narrow_steps.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/broadcast_group.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/memory_operand.hpp>
#include <statiq/simd/partial.hpp>
#include <statiq/simd/replace_byte.hpp>
#include <statiq/simd/unroll.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <type_traits>

#ifndef STATIQ_NO_SIMD

namespace statiq::kernels::vectorized {

/// Whether products of bytes are summed in 16 bits first, because there is no byte dot product.
template <class Arch>
inline constexpr bool sums_pairs = !simd::has_byte_dot<Arch> && simd::has_pair_products<Arch>;

/// How a tile multiplies a run of bytes.
enum class step_kind : std::uint8_t {
    plain,   ///< `multiply_steps`
    checked, ///< `multiply_checked_steps`: 16 bits may not hold a sum of two products
    narrow,  ///< `multiply_narrow_steps`: 16 bits hold several of these sums
};
/// @param pair_sums as `byte_format` has it
template <class Arch>
[[nodiscard]] constexpr step_kind step_of(int pair_sums) noexcept {
    if (pair_sums > 1) return step_kind::narrow;
    return pair_sums == 0 && sums_pairs<Arch> ? step_kind::checked : step_kind::plain;
}

/// Bytes times bytes, summed in int32: the integer format of `convolve_blocked`. Signed inputs are read as unsigned,
/// x + 128; `correct_bias` accounts for it.
/// @tparam PairSums sums of two products that 16 bits hold for any data: 0, 1, 2, 4 or 8. It is 0 on instruction sets
/// without `sums_pairs`.
template <class Arch, class In, class Out, class Scheme, int PairSums = 0>
struct byte_format {
    static_assert(PairSums == 0 || sums_pairs<Arch>);
    static constexpr int pair_sums = PairSums;
    using arch = Arch;
    using input = In;
    using weight = std::int8_t;
    using output = Out;
    using arguments = convolution_arguments<In, std::int8_t, Out, Scheme>;
    using sum = std::int32_t;
    using accumulator = simd::batch<std::int32_t, Arch>;
    /// Weights are memory operands, which frees their registers for sums. This pays only where a product takes three
    /// instructions, so that its load is hidden.
    static constexpr bool weights_stay_in_memory = PairSums == 1 && simd::has_memory_operands<Arch>;
    using weights =
        std::conditional_t<weights_stay_in_memory, simd::memory_operand<std::int8_t>, simd::batch<std::int8_t, Arch>>;
    using input_masks = std::conditional_t<sums_pairs<Arch> && PairSums == 0, vectorized::input_masks, no_input_masks>;
    using inputs_batch = simd::batch<std::uint8_t, Arch>;
    static constexpr int lanes = static_cast<int>(accumulator::size);
    static constexpr int inputs = 4;
    static constexpr bool has_smaller_tiles = true;
    static constexpr bool may_have_zero_points = true;
    static constexpr bool gathers_in_registers = simd::register_count<Arch> == 32; ///< fewer are all a tile's
    static constexpr int max_vectors = simd::register_count<Arch> == 32 ? 4 : 2;

    static constexpr int tile_pixels(int vectors) noexcept {
        // Registers for an input and a product, and for the ones that widen sums of two products, if every step widens.
        // Checked bytes (0 sums) multiply most steps as if 16 bits held one sum for certain.
        const int others = PairSums >= 2 ? 2 : sums_pairs<Arch> ? 3 : 1 + simd::dot_constants<Arch>(vectors);
        const bool leaves = PairSums < 2 && sums_pairs<Arch> && simd::has_memory_operands<Arch>;
        return (std::min)(12, (simd::register_count<Arch> - others - (leaves ? 0 : vectors)) / vectors);
    }
    static In padding(const arguments& a) noexcept { return static_cast<In>(a.input_zero_point); }
    static std::int32_t unsigned_padding(const arguments& a) noexcept {
        return a.input_zero_point - std::int32_t{std::numeric_limits<In>::lowest()};
    }
    static bool padding_counts(const arguments& a) noexcept { return unsigned_padding(a) != 0; }

    static weights load(const std::int8_t* w) noexcept {
        if constexpr (weights_stay_in_memory)
            return {w};
        else
            return weights::load_unaligned(w);
    }
    static inputs_batch broadcast(const In* x) noexcept { return as_unsigned<Arch>(simd::broadcast_group<Arch>(x)); }
    /// One value from each of three rows, x[0], x[row_step] and x[2 * row_step], as bytes 1 to 3 of every group. Byte 0
    /// is arbitrary. Each load ends with the value it is for, so that it reads nothing behind the last row.
    static inputs_batch broadcast_rest(const In* x, std::ptrdiff_t row_step) noexcept {
        const auto row = [&](int r) { return simd::broadcast_group<Arch>(x + (r * row_step - (r + 1))); };
        return as_unsigned<Arch>(simd::replace_byte<3, Arch>(simd::replace_byte<2, Arch>(row(0), row(1)), row(2)));
    }
    static accumulator multiply_add(accumulator acc, inputs_batch x, weights w) noexcept {
        if constexpr (PairSums > 0)
            return simd::add_pairs<Arch>(acc, simd::pair_products<Arch>(x, w));
        else
            return simd::dot_accumulate<Arch>(acc, x, w);
    }
    template <std::size_t Pixels, std::size_t Vectors>
    [[gnu::always_inline]] static void multiply(accumulator (&acc)[Pixels][Vectors], const In* const (&x)[Pixels],
                                                const run_of_steps<std::int8_t>& run, prefetcher::lines& lines,
                                                [[maybe_unused]] typename input_masks::sequence& masks) noexcept {
        constexpr step_kind kind = step_of<Arch>(PairSums);
        if constexpr (kind == step_kind::narrow)
            multiply_narrow_steps<byte_format>(acc, x, run, lines);
        else if constexpr (kind == step_kind::checked)
            multiply_checked_steps<byte_format, byte_format<Arch, In, Out, Scheme, 1>>(acc, x, run, lines, masks);
        else
            multiply_steps<byte_format>(acc, x, run, lines);
    }
    static accumulator add_inputs(accumulator sums, const In* x, int count) noexcept {
        constexpr int width = 4 * lanes;
        for (int i = 0; i < count; i += width) {
            const auto left = static_cast<std::size_t>((std::min)(width, count - i));
            const auto ones = simd::load_first<Arch>(ones_.data(), left);
            sums = simd::dot_accumulate<Arch>(sums, as_unsigned<Arch>(simd::load_first<Arch>(x + i, left)), ones);
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
        /// What a tile keeps in registers while it stores.
        struct tile_constants {
            bool has_zero_points;
            bool is_whole; ///< the block's channels are all channels and all lanes
            simd::first_lanes<Out, Arch> written;
            requantize_bytes<Arch, Out> requantize;
        };

        outputs(const arguments& a, const convolution_shape& shape, int channel, int count) noexcept
            : constants_{a.weight_zero_points != nullptr, count == shape.out.channels && count == Vectors * lanes,
                         simd::first_lanes<Out, Arch>(static_cast<std::size_t>(count)),
                         requantize_bytes<Arch, Out>(a)} {
            const auto take = [count](const std::int32_t* from, std::int32_t* lane) {
                std::fill(std::copy_n(from, count, lane), lane + Vectors * lanes, 0);
            };
            take(a.corrected_bias + channel, start_);
            if (constants_.has_zero_points) take(a.weight_zero_points + channel, zero_points_);
            factors_.set_first(a.factors + channel, count);
        }

        [[nodiscard]] tile_constants constants() const noexcept { return constants_; }
        [[nodiscard]] accumulator start(int v) const noexcept { return accumulator::load_aligned(start_ + v * lanes); }

        /// The correction for weight zero points: zero point times the sum of the pixel's inputs.
        [[nodiscard]] [[gnu::always_inline]] accumulator correction(int v, std::int32_t sum) const noexcept {
            return accumulator::load_aligned(zero_points_ + v * lanes) * accumulator(sum);
        }

        template <int Pixels>
        [[gnu::always_inline]] void finish(accumulator (&acc)[std::size_t{Pixels}][std::size_t{Vectors}],
                                           const tile_constants& constants, Out* to,
                                           const pixel_tile<Pixels>& at) const noexcept {
            constants.requantize.template store_pixels<Pixels, Vectors>(acc, factors_, to, at, constants.written,
                                                                        constants.is_whole);
        }

      private:
        tile_constants constants_;
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
