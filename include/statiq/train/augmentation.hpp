// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/tensor/extents.hpp>
#include <statiq/train/expect_count.hpp>
#include <statiq/train/random.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace statiq {

/// What may happen to a training image's pixels before they become reals.
struct augmentation {
    int padding = 0;   ///< black pixels put around it, then a piece of the old size cut out anywhere
    bool flip = false; ///< left and right exchanged, every second time on average

    [[nodiscard]] bool any() const noexcept { return padding > 0 || flip; }
};

/// One image, changed by chance. @param from pixels in HWC order  @param to as many, elsewhere
/// @throws std::invalid_argument when they are not the image's
inline void augment(const augmentation& how, const extents& image, std::span<const std::uint8_t> from,
                    random_numbers& random, std::span<std::uint8_t> to) {
    detail::expect_count("pixels' values of an image", image.size(), from.size());
    detail::expect_count("values of an augmented image", image.size(), to.size());
    const auto places = static_cast<std::uint64_t>(2 * how.padding + 1);
    const int down = how.padding > 0 ? static_cast<int>(random.below(places)) - how.padding : 0;
    const int right = how.padding > 0 ? static_cast<int>(random.below(places)) - how.padding : 0;
    const bool flipped = how.flip && random.below(2) == 1;
    const auto channels = static_cast<std::size_t>(image.channels);
    const auto pixel = [&](int y, int x) {
        return (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x)) *
               channels;
    };
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) {
            const int source_y = y + down;
            const int source_x = (flipped ? image.width - 1 - x : x) + right;
            const bool inside = source_y >= 0 && source_y < image.height && source_x >= 0 && source_x < image.width;
            const auto out = to.subspan(pixel(y, x), channels);
            if (inside)
                std::ranges::copy(from.subspan(pixel(source_y, source_x), channels), out.begin());
            else
                std::ranges::fill(out, std::uint8_t{0});
        }
}

} // namespace statiq
