// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/tensor/extents.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace statiq::kernels::reference {

/// What padding reads and writes: an image inside a larger one.
template <stored T>
struct pad_arguments {
    const T* input = nullptr; ///< in.height x in.width x in.channels
    extents in{};
    extents out{};    ///< out.channels == in.channels
    int pad_top = 0;  ///< rows above the image
    int pad_left = 0; ///< columns before it
    T value{};        ///< around it: the zero point, or 0
    T* output = nullptr;
};

/// Copies an image into a larger one filled with `value`. Integers keep their scale and zero point.
template <stored T>
constexpr void pad(const pad_arguments<T>& of) noexcept {
    std::fill_n(of.output, of.out.size(), of.value);
    const auto row = static_cast<std::size_t>(of.in.width) * static_cast<std::size_t>(of.in.channels);
    for (int y = 0; y < of.in.height; ++y)
        std::copy_n(of.input + static_cast<std::size_t>(y) * row, row,
                    of.output + (static_cast<std::size_t>(y + of.pad_top) * static_cast<std::size_t>(of.out.width) +
                                 static_cast<std::size_t>(of.pad_left)) *
                                    static_cast<std::size_t>(of.out.channels));
}

/// What a transposition reads and writes.
template <stored T>
struct transpose_arguments {
    const T* input = nullptr; ///< in.height x in.width x in.channels
    extents in{};
    std::array<int, 3> axes{0, 1, 2}; ///< output axis i is input axis axes[i] of height, width, channels
    T* output = nullptr;
};

/// Reorders a sample's axes: output[i0][i1][i2] is the input at index i_k along axis axes[k].
template <stored T>
constexpr void transpose(const transpose_arguments<T>& of) noexcept {
    const std::array<int, 3> extent{of.in.height, of.in.width, of.in.channels};
    const std::array<std::size_t, 3> step{static_cast<std::size_t>(of.in.width) *
                                              static_cast<std::size_t>(of.in.channels),
                                          static_cast<std::size_t>(of.in.channels), 1};
    const auto along = [&](std::size_t k) { return static_cast<std::size_t>(of.axes[k]); };
    T* out = of.output;
    for (int a = 0; a < extent[along(0)]; ++a)
        for (int b = 0; b < extent[along(1)]; ++b)
            for (int c = 0; c < extent[along(2)]; ++c)
                *out++ = of.input[static_cast<std::size_t>(a) * step[along(0)] +
                                  static_cast<std::size_t>(b) * step[along(1)] +
                                  static_cast<std::size_t>(c) * step[along(2)]];
}

} // namespace statiq::kernels::reference
