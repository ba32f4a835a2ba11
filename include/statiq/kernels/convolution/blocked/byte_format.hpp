// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/bytes/epilogue.hpp>
#include <statiq/kernels/bytes/lane_factors.hpp>
#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/blocked/checked_steps.hpp>
#include <statiq/kernels/convolution/blocked/loop.hpp>
#include <statiq/kernels/convolution/blocked/narrow_steps.hpp>
#include <statiq/kernels/convolution/blocked/seen_inputs.hpp>
#include <statiq/simd/arch.hpp>
#include <statiq/simd/broadcast_group.hpp>
#include <statiq/simd/dot_accumulate.hpp>
#include <statiq/simd/in_memory.hpp>
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

/// Bytes times bytes, summed in int32: the integer format of `convolve_blocked`. Signed inputs are read as unsigned,
/// x + 128; `correct_bias` accounts for it.
/// @tparam PairSums sums of two products that 16 bits certainly hold: 0, 1, 2, 4 or 8. Another than 0 only for
/// instruction sets that `sums_pairs`.
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
    /// Weights stay in memory, and leave their registers to sums. Only where a product takes three instructions, beside
    /// which there is time for its load.
    static constexpr bool leaves_weights = PairSums == 1 && simd::multiplies_in_memory<Arch>;
    using weights = std::conditional_t<leaves_weights, simd::in_memory<std::int8_t>, simd::batch<std::int8_t, Arch>>;
    using seen_inputs = std::conditional_t<sums_pairs<Arch> && PairSums == 0, vectorized::seen_inputs, no_seen_inputs>;
    using inputs_batch = simd::batch<std::uint8_t, Arch>;
    static constexpr int lanes = static_cast<int>(accumulator::size);
    static constexpr int inputs = 4;
    static constexpr bool fits_pixels = true;
    static constexpr bool may_need_sums = true;
    static constexpr bool collects_in_registers = simd::register_count<Arch> == 32; ///< fewer are all a tile's
    static constexpr int max_vectors = simd::register_count<Arch> == 32 ? 4 : 2;

    static constexpr int tile_pixels(int vectors) noexcept {
        // An input and a product; ones, by which sums of two products are widened, where they are at every step. Of
        // bytes that are checked (0 sums), most steps are multiplied as if 16 bits certainly held one.
        const int others = PairSums >= 2 ? 2 : sums_pairs<Arch> ? 3 : 1 + simd::dot_constants<Arch>(vectors);
        const bool leaves = PairSums < 2 && sums_pairs<Arch> && simd::multiplies_in_memory<Arch>;
        return (std::min)(12, (simd::register_count<Arch> - others - (leaves ? 0 : vectors)) / vectors);
    }
    static In padding(const arguments& a) noexcept { return static_cast<In>(a.input_zero_point); }
    static std::int32_t unsigned_padding(const arguments& a) noexcept {
        return a.input_zero_point - std::int32_t{std::numeric_limits<In>::lowest()};
    }
    static bool padding_counts(const arguments& a) noexcept { return unsigned_padding(a) != 0; }

    static weights load(const std::int8_t* w) noexcept {
        if constexpr (leaves_weights)
            return {w};
        else
            return weights::load_unaligned(w);
    }
    static inputs_batch broadcast(const In* x) noexcept { return as_unsigned<Arch>(simd::broadcast_group<Arch>(x)); }
    /// Of three rows the values x[0], x[row_step] and x[2 * row_step], as bytes 1 to 3 of every group; byte 0 is any.
    /// A group is read so that the last row's ends with its value.
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
                                                const run_of_steps<std::int8_t>& run, reading_ahead::lines& lines,
                                                [[maybe_unused]] typename seen_inputs::looks& looks) noexcept {
        if constexpr (PairSums > 1)
            multiply_narrow_steps<byte_format>(acc, x, run, lines);
        else if constexpr (PairSums == 0 && sums_pairs<Arch>)
            multiply_checked_steps<byte_format, byte_format<Arch, In, Out, Scheme, 1>>(acc, x, run, lines, looks);
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
            bool needs_sums;
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
            if (constants_.needs_sums) take(a.weight_zero_points + channel, zero_points_);
            factors_.set_first(a.factors + channel, count);
        }

        [[nodiscard]] tile_constants constants() const noexcept { return constants_; }
        [[nodiscard]] accumulator start(int v) const noexcept { return accumulator::load_aligned(start_ + v * lanes); }

        /// What weight zero points add to a pixel: them times the sum of its inputs.
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
