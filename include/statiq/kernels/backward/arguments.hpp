// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>

namespace statiq::kernels {

/// What the gradient of a convolution's weights reads and writes: a part of the batch, for a part of the outputs.
struct weight_gradient_arguments {
    const float* input = nullptr;           ///< of all samples, side by side
    const float* output_gradient = nullptr; ///< of all samples, side by side
    std::size_t first_pixel = 0;            ///< of the output, counted through all samples; of depthwise ones, a
    std::size_t last_pixel = 0;             ///< multiple of the sample's pixels
    int first_channel = 0;                  ///< of the output
    int last_channel = 0;
    float* gradient = nullptr; ///< of all weights, in natural order; sums are added
};

} // namespace statiq::kernels
