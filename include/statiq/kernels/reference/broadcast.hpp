// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/reference/stored.hpp>
#include <statiq/tensor/extents.hpp>

#include <cstddef>

namespace statiq::kernels::reference {

/// Copies a tensor into a larger one, repeating it along every axis on which its extent is 1: what a sum of unequal
/// tensors does first (NumPy's broadcasting). Each extent of `in` is 1 or that of `out`.
template <stored T>
constexpr void broadcast(const T* input, const extents& in, const extents& out, T* output) noexcept {
    const auto at = [](int index, int extent) { return static_cast<std::size_t>(extent == 1 ? 0 : index); };
    const auto width = static_cast<std::size_t>(in.width);
    const auto channels = static_cast<std::size_t>(in.channels);
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x)
            for (int c = 0; c < out.channels; ++c)
                *output++ = input[(at(y, in.height) * width + at(x, in.width)) * channels + at(c, in.channels)];
}

} // namespace statiq::kernels::reference
