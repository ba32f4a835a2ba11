// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/convolution/arguments.hpp>
#include <statiq/kernels/convolution/nests.hpp>
#include <statiq/kernels/convolution/padded_image.hpp>
#include <statiq/kernels/scratch.hpp>
#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/simd/target.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

/// How much scratch memory a convolution needs: a bound that holds for every instruction set with vector registers, so
/// that a network's arena has one size. It covers every part of the convolution, too
/// (kernels/convolution/division.hpp).
namespace statiq::kernels {

/// The largest factor of the library's requantization schemes.
inline constexpr std::size_t usual_factor_bytes = 8;

namespace detail {

/// Channels of prepared weights: whole registers, for at most `panel` channels at once.
[[nodiscard]] constexpr std::size_t prepared_lanes(int channels, int widest_register, int panel) noexcept {
    return static_cast<std::size_t>(
        (std::min)((channels + widest_register - 1) / widest_register * widest_register, panel));
}

/// Of a block of prepared weights, what does not grow with its lanes.
inline constexpr std::size_t block_head = 320;

} // namespace detail

/// Bytes of `lanes` lanes of a block of `byte_columns_format`, for windows of K x K: the weights of four rows, which
/// may be widened or in two terms, twice; where sums start, twice; signs and factors.
[[nodiscard]] constexpr std::size_t byte_columns_block(int window, std::size_t lanes, std::size_t factor) noexcept {
    const auto side = static_cast<std::size_t>(window);
    return detail::block_head + lanes * (2 * ((side + 3) / 4 * side * 8 + 4) + 4 + factor);
}
/// The same for `byte_depthwise_format`, windows of `most_depthwise_taps`.
[[nodiscard]] constexpr std::size_t byte_depthwise_block(std::size_t lanes, std::size_t factor) noexcept {
    return detail::block_head + lanes * (most_depthwise_taps + most_depthwise_taps / 4 + 4 + 4 + factor);
}
/// The same for `float_columns_format`.
[[nodiscard]] constexpr std::size_t float_columns_block(int window, std::size_t lanes) noexcept {
    const auto side = static_cast<std::size_t>(window);
    return detail::block_head + lanes * (side * side + 1) * sizeof(float);
}
/// The same for `float_depthwise_format`.
[[nodiscard]] constexpr std::size_t float_depthwise_block(std::size_t lanes) noexcept {
    return detail::block_head + lanes * (most_depthwise_taps + 1) * sizeof(float);
}

/// Values of a padded row of `depthwise_rows`, with what a register of 64 bytes reads behind it.
[[nodiscard]] constexpr std::size_t padded_row_values(const convolution_shape& shape) noexcept {
    return whole_lines(
        static_cast<std::size_t>((shape.out.width + shape.over.kernel_width - 1) * shape.in.channels + 64));
}

/// Most pixels of a tile of bytes.
inline constexpr std::size_t most_copied_pixels = 12;

/// Values of a copied window. It is 0 if no window is copied: runs are at least one step long, and the border cuts no
/// row that is a single run.
template <int Inputs>
[[nodiscard]] constexpr std::size_t copied_window(const convolution_shape& shape,
                                                  const blocked_layout<Inputs>& layout) noexcept {
    const window& over = shape.over;
    const int last = (shape.out.width - 1) * over.stride_width + (over.kernel_width - 1) * over.dilation_width;
    const bool is_cut = over.pad_left > 0 || last - over.pad_left >= shape.in.width;
    if (layout.gathers ? !is_cut : layout.run >= Inputs) return 0;
    return whole_lines(static_cast<std::size_t>(layout.runs * (layout.gathers ? layout.run : layout.steps() * Inputs)));
}

/// Most words of `input_masks`.
inline constexpr std::size_t most_mask_words = 4096;

/// Optional bytes for `input_masks`: one word per 64 steps of every tile, if there is more than one block of output
/// channels. A tile has at least five pixels, except the last tiles of a region.
[[nodiscard]] constexpr std::size_t useful_scratch(const convolution_shape& shape) noexcept {
    constexpr int fewest_outputs = 8; // of a block
    if (shape.is_depthwise() || shape.out_channels_per_group() <= fewest_outputs) return 0;
    const blocked_layout<4> layout(shape);
    const auto runs = static_cast<std::size_t>(layout.runs * ((layout.steps() + 63) / 64));
    const std::size_t tiles = (shape.out.pixels() + 4) / 5;
    return whole_lines((std::min)(tiles * runs, most_mask_words) * sizeof(std::uint64_t));
}

namespace detail {

/// What a depthwise convolution needs in one nest.
template <bool Floating>
[[nodiscard]] constexpr std::size_t depthwise_scratch(const convolution_shape& shape, nest loops,
                                                      std::size_t factor) noexcept {
    const int channels = shape.out.channels, side = shape.over.kernel_width;
    if (loops == nest::reference) return 0;
    if constexpr (Floating) {
        if (loops == nest::channels)
            return 3 * block_head + whole_lines(float_depthwise_block(prepared_lanes(channels, 32, 128)));
        return 7 * block_head + whole_lines(float_columns_block(side, prepared_lanes(channels, 16, 128)));
    } else {
        const std::size_t lanes = prepared_lanes(channels, 64, 256);
        if (loops == nest::channels) return 3 * block_head + whole_lines(byte_depthwise_block(lanes, factor));
        const std::size_t columns = 3 * block_head + whole_lines(byte_columns_block(side, lanes, factor));
        const bool in_rows = loops == nest::rows_3 || loops == nest::rows_5;
        return columns + (in_rows ? static_cast<std::size_t>(side) * padded_row_values(shape) : 0);
    }
}

} // namespace detail

/// Bytes that the vector code of a convolution needs. With less it runs in reference code.
/// @tparam Weight the packed weights' type. @param factor bytes of a requantization factor in vector kernels.
template <class Weight>
[[nodiscard]] constexpr std::size_t needed_scratch([[maybe_unused]] const convolution_shape& shape,
                                                   [[maybe_unused]] std::size_t factor = usual_factor_bytes) noexcept {
    if (!simd::has_vector_kernels) return 0;
    constexpr bool floating = std::is_same_v<Weight, float>;
    if (!shape.is_depthwise()) {
        if constexpr (floating || sizeof(stored_weight<Weight>) > 1) {
            return 0;
        } else {
            const auto layout = blocked_layout_of<Weight>(shape);
            if (!layout.fits_copies()) return 0;
            const std::size_t expanded = is_sub_byte<Weight> ? whole_lines(layout.panel_size()) : 0;
            return expanded + whole_lines(padded_image<std::uint8_t>::most_values(shape, 4)) +
                   most_copied_pixels * copied_window(shape, layout);
        }
    }
    // Instruction sets differ in how many channels are few.
    return (std::max)(detail::depthwise_scratch<floating>(shape, depthwise_nest_of(shape, 0), factor),
                      detail::depthwise_scratch<floating>(shape, depthwise_nest_of(shape, floating ? 0 : 16), factor));
}

/// Bytes that a convolution can make use of, `input_masks` included.
/// @tparam Weight the packed weights' type. @param pair_sums of `exact_pair_sums`: if it is 0, inputs are looked at.
/// @param factor bytes of a requantization factor in vector kernels.
template <class Weight>
[[nodiscard]] constexpr std::size_t scratch_bytes(const convolution_shape& shape, [[maybe_unused]] int pair_sums = 0,
                                                  std::size_t factor = usual_factor_bytes) noexcept {
    const std::size_t needed = needed_scratch<Weight>(shape, factor);
    if constexpr (simd::has_vector_kernels && std::is_same_v<Weight, std::int8_t>)
        if (pair_sums == 0) return needed + useful_scratch(shape);
    return needed;
}

/// Memory on the stack for any float convolution: for programs that train or simulate. Inference takes none there.
class float_stack_scratch {
  public:
    [[nodiscard]] scratch_memory memory() noexcept { return {bytes_, size}; }

  private:
    static constexpr std::size_t size = [] {
        const auto most = [](int window, nest loops) {
            convolution_shape shape{.in = {1, 1, 1024}, .out = {1, 1, 1024}, .groups = 1024};
            shape.over.kernel_height = shape.over.kernel_width = window;
            return detail::depthwise_scratch<true>(shape, loops, 0);
        };
        return (std::max)(most(5, nest::columns_5), most(7, nest::channels));
    }();
    alignas(
        scratch_alignment) std::uint8_t bytes_[size]; // NOLINT(cppcoreguidelines-pro-type-member-init): means nothing
};

/// `needed_scratch` of the convolution that arguments describe.
template <class In, class Weight, class Out, class Scheme>
[[nodiscard]] constexpr std::size_t needed_scratch_of(const convolution_arguments<In, Weight, Out, Scheme>&,
                                                      const convolution_shape& shape) noexcept {
    return needed_scratch<Weight>(shape, lane_bytes_of<Scheme>);
}
[[nodiscard]] constexpr std::size_t needed_scratch_of(const float_convolution_arguments&,
                                                      const convolution_shape& shape) noexcept {
    return needed_scratch<float>(shape);
}

} // namespace statiq::kernels
