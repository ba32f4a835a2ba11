// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/scratch.hpp>
#include <statiq/kernels/weights/sub_byte.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace statiq::kernels {

/// Memory that will be read soon: a convolution brings it nearer while it computes. Never more than a hint.
struct memory_ahead {
    const void* from = nullptr;
    std::size_t bytes = 0;
};

/// The output channels that a call computes, of those there are: all, or the panels of `channel_panels` from `first` to
/// `last`. Whatever has a value for each channel is handed over whole.
struct channel_range {
    int first = 0;
    int last = (std::numeric_limits<int>::max)();
    /// @param channels of the output
    [[nodiscard]] constexpr int end(int channels) const noexcept { return last < channels ? last : channels; }
};

/// What an integer convolution reads and writes. Extents come separately, as a `convolution_shape`.
///
///   acc = sum over the taps inside the image of (x - input_zero_point) * (w - weight_zero_points[o]) + bias[o]
///   y   = clamp(Scheme::apply(acc, factors[o]) + output_zero_point, lowest, highest)
///
/// in int32 (P3 (7), with a zero point per output channel). Nothing overlaps the output.
/// @tparam Weight as packed: an integer, or `sub_byte`. @tparam Scheme how the accumulator becomes an integer of the
/// output: a `requantization_scheme`.
template <class In, class Weight, class Out, class Scheme>
struct convolution_arguments {
    using weight_type = Weight;
    const In* input;                        ///< HWC, exactly in.size() values
    const stored_weight<Weight>* weights;   ///< packed: kernels/weights/layouts.hpp
    const std::int32_t* bias;               ///< at scale s_x * s_w[o]
    const std::int32_t* corrected_bias;     ///< of `correct_bias`, kernels/weights/layouts.hpp
    const std::int32_t* weight_zero_points; ///< in the packed weights' range; null when all are zero
    const typename Scheme::factor* factors; ///< one per output channel
    std::int32_t input_zero_point;
    std::int32_t output_zero_point;
    std::int32_t lowest; ///< of the output integers: the format's limits and the fused activation in one clamp
    std::int32_t highest;
    Out* output; ///< HWC, exactly out.size() values
    memory_ahead ahead{};
    channel_range channels{};
    scratch_memory scratch{}; ///< `scratch_bytes` of the convolution, in vector code
};

/// The same for float32: y = clamp(sum of x * w + bias[o], lowest, highest).
struct float_convolution_arguments {
    using weight_type = float;
    const float* input;
    const float* weights; ///< packed: kernels/weights/layouts.hpp
    const float* bias;    ///< one per output channel
    float* output;
    float lowest = -std::numeric_limits<float>::infinity();
    float highest = std::numeric_limits<float>::infinity();
    memory_ahead ahead{};
    channel_range channels{};
    scratch_memory scratch{};
};

} // namespace statiq::kernels
