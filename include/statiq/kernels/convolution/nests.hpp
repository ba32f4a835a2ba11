// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/weights/layouts.hpp>
#include <statiq/tensor/window.hpp>

#include <cstdint>

namespace statiq::kernels {

/// The loop nests of convolutions. The window's side and stride are constants of a nest's code.
enum class nest : std::uint8_t {
    reference,          ///< `reference::convolution`
    blocked,            ///< `convolve_blocked`
    rows_3,             ///< `depthwise_rows`: few channels
    rows_5,             //
    columns_3,          ///< `depthwise_columns`
    columns_3_stride_2, //
    columns_5,          //
    columns_5_stride_2, //
    channels,           ///< `depthwise_channels`: every other window
    zero_points = 16,   ///< added to one of depthwise convolutions: their weights have zero points
};
[[nodiscard]] constexpr nest with_zero_points(nest loops) noexcept {
    return static_cast<nest>(static_cast<unsigned>(loops) | static_cast<unsigned>(nest::zero_points));
}
[[nodiscard]] constexpr bool has_zero_points(nest chosen) noexcept { return chosen >= nest::zero_points; }
[[nodiscard]] constexpr nest without_zero_points(nest chosen) noexcept {
    return static_cast<nest>(static_cast<unsigned>(chosen) % static_cast<unsigned>(nest::zero_points));
}

/// Tile sizes of `convolve_blocked`: bit v stands for v registers of output channels.
struct blocked_tiles {
    std::uint8_t plain = 0xFF;
    std::uint8_t gathering = 0xFF; ///< of convolutions that gather the rest of each row
};

/// Rows of this many steps are unrolled: a loop over them would cost as much as the products. A 3 x 3 window on three
/// channels has such rows.
inline constexpr int short_row = 2;

/// The loop nests and tile sizes that a program has code for.
struct nest_set {
    std::uint32_t nests = 0;
    blocked_tiles tiles{0, 0};

    /// Code for every convolution.
    static constexpr nest_set all() noexcept { return {~bit_of(with_zero_points(nest::blocked)), {}}; }
    [[nodiscard]] constexpr nest_set with(const nest_set& other) const noexcept {
        return {nests | other.nests,
                {static_cast<std::uint8_t>(tiles.plain | other.tiles.plain),
                 static_cast<std::uint8_t>(tiles.gathering | other.tiles.gathering)}};
    }
    [[nodiscard]] constexpr bool covers(const nest_set& other) const noexcept {
        return (other.nests & ~nests) == 0 && (other.tiles.plain & ~tiles.plain) == 0 &&
               (other.tiles.gathering & ~tiles.gathering) == 0;
    }
    [[nodiscard]] constexpr bool has(nest one) const noexcept { return (nests & bit_of(one)) != 0; }
    static constexpr std::uint32_t bit_of(nest one) noexcept { return std::uint32_t{1} << static_cast<unsigned>(one); }
};

/// Taps of the largest window `depthwise_channels` takes: 7 x 7 fits.
inline constexpr int most_depthwise_taps = 64;

/// The longest padded row `depthwise_rows` keeps, in values.
inline constexpr int longest_depthwise_row = 4096;

/// The loop nest of a depthwise convolution without weight zero points.
/// @param most_row_channels the most channels for which `depthwise_rows` is worth while; 0 if the format has none.
[[nodiscard]] constexpr nest depthwise_nest_of(const convolution_shape& shape, int most_row_channels) noexcept {
    const window& over = shape.over;
    const int side = over.kernel_height, stride = over.stride_height;
    if (shape.in.channels != shape.out.channels || over.taps() > most_depthwise_taps) return nest::reference;
    if ((side != 3 && side != 5) || stride > 2 || over.kernel_width != side || over.stride_width != stride ||
        over.dilation_height != 1 || over.dilation_width != 1)
        return nest::channels;
    if (stride == 1 && shape.in.channels <= most_row_channels &&
        (shape.out.width + side - 1) * shape.in.channels <= longest_depthwise_row)
        return side == 3 ? nest::rows_3 : nest::rows_5;
    // The columns nest needs rows at least as long as the number of outputs that one column of inputs belongs to.
    if (shape.out.width < (side + stride - 1) / stride) return nest::channels;
    if (stride == 1) return side == 3 ? nest::columns_3 : nest::columns_5;
    return side == 3 ? nest::columns_3_stride_2 : nest::columns_5_stride_2;
}

/// The nest of a convolution of bytes to bytes.
/// @tparam Weight the packed weights' type. @param lanes 32-bit lanes of a register.
template <class Weight>
[[nodiscard]] constexpr nest byte_nest_of(const convolution_shape& shape, bool has_weight_zero_points,
                                          int lanes) noexcept {
    if (is_sub_byte<Weight> && !fits_expansion(shape)) return nest::reference;
    if (shape.is_depthwise()) {
        const nest loops = depthwise_nest_of(shape, lanes > 8 ? 16 : 2 * lanes);
        return has_weight_zero_points && loops != nest::reference ? with_zero_points(loops) : loops;
    }
    return blocked_layout<4>(shape).fits_copies() ? nest::blocked : nest::reference;
}

/// The nest of a convolution of floats.
[[nodiscard]] constexpr nest float_nest_of(const convolution_shape& shape) noexcept {
    return shape.is_depthwise() ? depthwise_nest_of(shape, 0) : nest::blocked;
}

/// What one convolution needs.
/// @tparam Weight the packed weights' type. @param lanes 32-bit lanes of a register.
template <class Weight>
[[nodiscard]] constexpr nest_set nests_of(const convolution_shape& shape, nest chosen, int lanes) noexcept {
    nest_set needed{nest_set::bit_of(chosen), {0, 0}};
    if (chosen != nest::blocked) return needed;
    const auto layout = blocked_layout_of<Weight>(shape);
    unsigned sizes = 0;
    if (lanes == outputs_per_block)
        for (int panel = 0; panel < layout.panels(); ++panel)
            sizes |= 1U << static_cast<unsigned>(layout.first_block(panel + 1) - layout.first_block(panel));
    else
        sizes = ~0U;
    const auto bits = static_cast<std::uint8_t>(sizes);
    needed.tiles = layout.gathers ? blocked_tiles{0, bits} : blocked_tiles{bits, 0};
    return needed;
}

} // namespace statiq::kernels
