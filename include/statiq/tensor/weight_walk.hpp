// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/window.hpp>

#include <cstddef>

namespace statiq {

/// One weight of a convolution: what it multiplies, and where it stands in natural order.
struct weight_place {
    int output;        ///< channel
    int tap;           ///< of the window, row by row
    int input;         ///< channel within the output's group
    std::size_t index; ///< `convolution_shape::weight_index`

    [[nodiscard]] constexpr std::size_t channel() const noexcept { return static_cast<std::size_t>(output); }
};

/// Calls visit(place) for each weight of one output channel: tap by tap, and of each tap the input channels.
template <class Visit>
constexpr void for_each_weight_of_output(const convolution_shape& shape, int output, Visit&& visit) {
    const int taps = shape.over.taps();
    const int inputs = shape.in_channels_per_group();
    for (int tap = 0; tap < taps; ++tap) {
        const std::size_t first = shape.weight_index(output, tap, 0);
        for (int input = 0; input < inputs; ++input)
            visit(weight_place{output, tap, input, first + static_cast<std::size_t>(input)});
    }
}

/// Calls visit(place) for each weight, one output channel after another.
template <class Visit>
constexpr void for_each_weight(const convolution_shape& shape, Visit&& visit) {
    for (int output = 0; output < shape.out.channels; ++output) for_each_weight_of_output(shape, output, visit);
}

/// Calls visit(place) for each weight that multiplies one input channel of the image.
template <class Visit>
constexpr void for_each_weight_of_input(const convolution_shape& shape, int channel, Visit&& visit) {
    const int group = channel / shape.in_channels_per_group();
    const int input = channel % shape.in_channels_per_group();
    const int outputs = shape.out_channels_per_group();
    for (int output = group * outputs; output < (group + 1) * outputs; ++output)
        for (int tap = 0; tap < shape.over.taps(); ++tap)
            visit(weight_place{output, tap, input, shape.weight_index(output, tap, input)});
}

} // namespace statiq
