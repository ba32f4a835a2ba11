// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/tensor/extents.hpp>

#include <algorithm>
#include <cstddef>

namespace statiq::kernels::reference {

/// Repeats every pixel along rows and columns: output pixel (y, x) is input pixel (y / rows, x / columns), the nearest
/// in the enlarged image. `out` is a whole multiple of `in`, of the same channels.
template <stored T>
constexpr void upsample(const T* input, const extents& in, const extents& out, T* output) noexcept {
    const int rows = out.height / in.height;
    const int columns = out.width / in.width;
    const auto channels = static_cast<std::size_t>(in.channels);
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x)
            output = std::copy_n(input + static_cast<std::size_t>(y / rows * in.width + x / columns) * channels,
                                 channels, output);
}

} // namespace statiq::kernels::reference
