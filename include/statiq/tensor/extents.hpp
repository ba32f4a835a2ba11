// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>

namespace statiq {

/// The logical extents of one sample's tensor: height x width x channels, stored channels-last (HWC, row-major).
/// A flat vector of n values is 1 x 1 x n. The batch is a loop around the network, never an extent.
struct extents {
    int height = 1;
    int width = 1;
    int channels = 1;

    [[nodiscard]] constexpr std::size_t size() const noexcept {
        return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
    }
    [[nodiscard]] constexpr std::size_t pixels() const noexcept {
        return static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
    }
    friend constexpr bool operator==(const extents&, const extents&) = default;
};

} // namespace statiq
