// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/weights/sub_byte.hpp>
#include <statiq/tensor/weight_walk.hpp>
#include <statiq/tensor/window.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

/// How convolution weights lie in memory, and how they get there. The layout does not depend on the instruction set:
/// weights packed on one machine run on every other.
namespace statiq::kernels {

/// [out][tap][in of the group]: OHWI.
struct natural_layout {
    convolution_shape shape;
    [[nodiscard]] constexpr std::size_t size() const noexcept { return shape.weight_count(); }
    [[nodiscard]] constexpr std::size_t index(int out, int tap, int in) const noexcept {
        return (static_cast<std::size_t>(out) * static_cast<std::size_t>(shape.over.taps()) +
                static_cast<std::size_t>(tap)) *
                   static_cast<std::size_t>(shape.in_channels_per_group()) +
               static_cast<std::size_t>(in);
    }
};

/// [tap][out], natural and packed alike.
struct depthwise_layout {
    convolution_shape shape;
    [[nodiscard]] constexpr std::size_t size() const noexcept { return shape.weight_count(); }
    [[nodiscard]] constexpr std::size_t index(int out, int tap, int) const noexcept {
        return static_cast<std::size_t>(tap) * static_cast<std::size_t>(shape.out.channels) +
               static_cast<std::size_t>(out);
    }
};

/// Output channels that lie side by side in the blocked layout.
inline constexpr int outputs_per_block = 16;
/// Most blocks of a panel: what the widest tile takes at once.
inline constexpr int blocks_per_panel = 4;

/// [group][panel][run][step][block of the panel][16 outputs][Inputs], outputs padded with zeros. A block is 16 outputs,
/// whose weights for one step of the kernel are 64 bytes, and a panel as many blocks as the widest tile takes, so that
/// a tile reads one stream of memory; panels are as equal as they can be. A run is input values that lie side by side
/// in the image: the channels of one tap. The last step of a run ends where the run ends: where `Inputs` does not
/// divide the run it overlaps the step before, with zeros for what that one took, so that no step reads beyond the run.
/// Where a tap has fewer channels than a step takes, a whole row of the window is a run, and has as many steps as it
/// fills; the rest of each row is gathered in steps of their own, behind all runs.
/// @tparam Inputs values summed by one lane in one step: 4 bytes, or 1 float.
template <int Inputs>
struct blocked_layout {
    static constexpr int inputs = Inputs;
    /// The longest row of a window that is one run.
    static constexpr int longest_row = 64;
    /// The largest window of short runs that kernels copy.
    static constexpr int largest_copy = 512;
    /// The most values that are gathered.
    static constexpr int most_gathered = 64;

    int out_channels; ///< per group
    int in_channels;  ///< per group
    int groups;
    bool gathers; ///< rows of the window are runs, and what is left of them is gathered
    int row_taps; ///< taps that make a run
    int runs;
    int run;         ///< values of a run
    int most_blocks; ///< of a panel

    /// @param blocks the most of a panel, at most `blocks_per_panel`.
    explicit constexpr blocked_layout(const convolution_shape& shape, int blocks = blocks_per_panel) noexcept
        : out_channels(shape.out_channels_per_group()), in_channels(shape.in_channels_per_group()),
          groups(shape.groups), gathers(in_channels < Inputs && groups == 1 && shape.over.dilation_width == 1 &&
                                        in_channels * shape.over.kernel_width <= longest_row &&
                                        (Inputs - 1) * shape.over.kernel_height + Inputs <= most_gathered),
          row_taps(gathers ? shape.over.kernel_width : 1), runs(shape.over.taps() / row_taps),
          run(in_channels * row_taps), most_blocks(blocks) {}
    /// Blocks of 16 outputs in a group.
    [[nodiscard]] constexpr int blocks() const noexcept {
        return (out_channels + outputs_per_block - 1) / outputs_per_block;
    }
    /// Steps of `Inputs` values that cover a run, or that it fills.
    [[nodiscard]] constexpr int steps() const noexcept { return (run + (gathers ? 0 : Inputs - 1)) / Inputs; }
    /// Values that each run leaves to be gathered, and the number of steps of all gathered values.
    [[nodiscard]] constexpr int rest() const noexcept { return gathers ? run % Inputs : 0; }
    [[nodiscard]] constexpr int gathered_steps() const noexcept { return (runs * rest() + Inputs - 1) / Inputs; }
    /// Collected values end where their steps end, so that the last row's can be read together with values before it.
    [[nodiscard]] constexpr int first_gathered() const noexcept { return gathered_steps() * Inputs - runs * rest(); }
    /// Whether kernels can copy a window, padded to whole steps, where they cannot read it from the image.
    [[nodiscard]] constexpr bool fits_copies() const noexcept {
        return (run >= Inputs && !gathers) || runs * (gathers ? run : steps() * Inputs) <= largest_copy;
    }
    /// Values of the weights of one block.
    [[nodiscard]] constexpr std::size_t block_size() const noexcept {
        return static_cast<std::size_t>(runs * steps() + gathered_steps()) * outputs_per_block * Inputs;
    }
    struct panel {
        int first;  ///< block
        int blocks; ///< at most most_blocks
    };
    /// Panels of a group.
    [[nodiscard]] constexpr int panels() const noexcept { return (blocks() + most_blocks - 1) / most_blocks; }
    /// Of panel number `index`; blocks() for the one behind the last.
    [[nodiscard]] constexpr int first_block(int index) const noexcept {
        const int wider = blocks() % panels();
        return index * (blocks() / panels()) + (index < wider ? index : wider);
    }
    [[nodiscard]] constexpr panel panel_of(int block) const noexcept {
        const int least = blocks() / panels();
        const int wider = blocks() % panels(); // the first panels, which have one block more
        if (block < wider * (least + 1)) return {block / (least + 1) * (least + 1), least + 1};
        const int behind = block - wider * (least + 1);
        return {block - behind % least, least};
    }
    /// Values of the widest panel.
    [[nodiscard]] constexpr std::size_t panel_size() const noexcept {
        return static_cast<std::size_t>(panel_of(0).blocks) * block_size();
    }
    [[nodiscard]] constexpr std::size_t size() const noexcept {
        return static_cast<std::size_t>(groups) * static_cast<std::size_t>(blocks()) * block_size();
    }
    [[nodiscard]] constexpr std::size_t index(int out, int tap, int in) const noexcept {
        const int within = out % out_channels;
        const int block = within / outputs_per_block;
        const panel p = panel_of(block);
        const int value = tap % row_taps * in_channels + in;
        int step = tap / row_taps * steps() + value / Inputs;
        int position = value % Inputs;
        if (gathers && value >= steps() * Inputs) {
            const int gathered = first_gathered() + tap / row_taps * rest() + position;
            step = runs * steps() + gathered / Inputs;
            position = gathered % Inputs;
        } else if (!gathers && value / Inputs + 1 == steps() && run >= Inputs) {
            position = value - (run - Inputs);
        }
        const int row = step * p.blocks + block - p.first;
        return static_cast<std::size_t>(out / out_channels * blocks() + p.first) * block_size() +
               static_cast<std::size_t>((row * outputs_per_block + within % outputs_per_block) * Inputs + position);
    }
};

/// Weights and activations of at most 8 bits: what the byte dot product works on.
template <class In, class Weight>
inline constexpr bool is_byte_product = std::is_integral_v<In>&& std::is_integral_v<stored_weight<Weight>> &&
                                        sizeof(In) == 1 && sizeof(stored_weight<Weight>) == 1;

/// The most bytes that kernels expand weights to that share bytes, a panel at a time, in scratch memory. Panels are as
/// wide as that allows; where one block is too large, weights are bytes.
inline constexpr std::size_t most_expanded_bytes = 80 * 1024;

/// The blocked layout of a convolution that is not depthwise: of floats, or of bytes beside bytes.
/// @tparam Weight the packed weights' type.
template <class Weight>
[[nodiscard]] constexpr auto blocked_layout_of(const convolution_shape& shape) noexcept {
    if constexpr (std::is_same_v<Weight, float>) {
        return blocked_layout<1>(shape);
    } else if constexpr (is_sub_byte<Weight>) {
        const std::size_t fitting = most_expanded_bytes / blocked_layout<4>(shape).block_size();
        return blocked_layout<4>(shape, static_cast<int>(std::clamp<std::size_t>(fitting, 1, blocks_per_panel)));
    } else {
        return blocked_layout<4>(shape);
    }
}

/// Whether kernels can expand a convolution's weights, should these share bytes. Depthwise layers have a hundredth of a
/// network's weights, and keep bytes.
[[nodiscard]] constexpr bool fits_expansion(const convolution_shape& shape) noexcept {
    return !shape.is_depthwise() && blocked_layout<4>(shape).block_size() <= most_expanded_bytes;
}

/// What natural weights of type Natural are packed as: bytes always as int8_t, with unsigned ones (and their zero
/// points) reduced by 128, because the dot product of every instruction set takes signed weights.
template <class In, class Natural>
using packed_weight = std::conditional_t<is_byte_product<In, Natural>, std::int8_t, Natural>;

/// What packing subtracts from weights and from their zero points: 128 or 0. Where it is not 0, even weights with
/// zero point 0 have a zero point when packed.
template <class In, class Natural>
inline constexpr std::int32_t packed_offset = is_byte_product<In, Natural>&& std::is_unsigned_v<Natural> ? 128 : 0;

/// Calls visit(layout) with the packed layout of this convolution.
/// @tparam In the activations' type. @tparam Weight the packed weights' type.
template <class In, class Weight, class Visit>
constexpr decltype(auto) with_packed_layout(const convolution_shape& shape, Visit&& visit) {
    if (shape.is_depthwise()) return visit(depthwise_layout{shape});
    if constexpr (is_byte_product<In, Weight> || std::is_same_v<Weight, float>) {
        return visit(blocked_layout_of<Weight>(shape));
    } else {
        return visit(natural_layout{shape});
    }
}

/// Values of the packed weights, padding included.
template <class In, class Weight>
[[nodiscard]] constexpr std::size_t packed_weight_count(const convolution_shape& shape) noexcept {
    return with_packed_layout<In, Weight>(shape, [](const auto& layout) { return layout.size(); });
}

/// Packs natural weights: depthwise [tap][out], otherwise OHWI.
/// @tparam In the activations' type. @param packed packed_weight_count values, all written.
template <class In, class Natural>
constexpr void pack_weights(const Natural* natural, packed_weight<In, Natural>* packed,
                            const convolution_shape& shape) noexcept {
    using stored = packed_weight<In, Natural>;
    with_packed_layout<In, stored>(shape, [&](const auto& layout) {
        for (std::size_t i = 0; i < layout.size(); ++i) packed[i] = stored{};
        for_each_weight(shape, [&](const weight_place& w) {
            packed[layout.index(w.output, w.tap, w.input)] =
                static_cast<stored>(natural[w.index] - packed_offset<In, Natural>);
        });
    });
}

/// The bias from which a kernel starts that sums x * w over all taps, taking the input zero point outside the image:
///
///   corrected[o] = bias[o] - z * sum over all taps of (w - zw[o]),   z = input_zero_point - lowest of In
///   acc          = corrected[o] + sum of u * w - zw[o] * sum of u,   u = x - lowest of In (unsigned)
///
/// Both are computed modulo 2^32, where they are exact: what must fit int32 is `acc` only.
/// @tparam Weight the packed weights' type. @param weight_zero_points in the packed range, or null.
/// @param corrected one per output channel; may be `bias` itself.
template <class In, class Weight>
constexpr void correct_bias(const std::int32_t* bias, const stored_weight<Weight>* packed,
                            const std::int32_t* weight_zero_points, std::int32_t input_zero_point,
                            const convolution_shape& shape, std::int32_t* corrected) noexcept {
    static_assert(std::is_integral_v<In>);
    const std::int32_t z = input_zero_point - static_cast<std::int32_t>(std::numeric_limits<In>::lowest());
    with_packed_layout<In, Weight>(shape, [&](const auto& layout) {
        for (int o = 0; o < shape.out.channels; ++o) {
            const std::int32_t zw = weight_zero_points == nullptr ? 0 : weight_zero_points[o];
            std::int64_t sum = 0;
            for_each_weight_of_output(shape, o, [&](const weight_place& w) {
                sum += weight_at<Weight>(packed, layout.index(w.output, w.tap, w.input)) - zw;
            });
            corrected[o] = static_cast<std::int32_t>(static_cast<std::uint32_t>(bias[o]) -
                                                     static_cast<std::uint32_t>(z) * static_cast<std::uint32_t>(sum));
        }
    });
}

} // namespace statiq::kernels
