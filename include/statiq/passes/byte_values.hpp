// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/options.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace statiq {

namespace detail {

/// Most channels of an image that have means or deviations of their own.
inline constexpr std::size_t max_image_channels = 16;

/// One value for each channel of an image, or one for all.
struct channel_values {
    std::array<float, max_image_channels> values{};
    int count = 0;

    [[nodiscard]] constexpr float of(int channel) const {
        return values[count == 1 ? 0U : static_cast<std::size_t>(channel)];
    }
    [[nodiscard]] constexpr bool all_positive() const {
        for (std::size_t c = 0; c < static_cast<std::size_t>(count); ++c)
            if (!(values[c] > 0)) return false;
        return true;
    }
    friend constexpr bool operator==(const channel_values&, const channel_values&) = default;
};

/// Which real a byte of an image stands for: (byte - mean) / deviation.
struct byte_values {
    channel_values mean{{}, 1};
    channel_values deviation{{1.0F}, 1};
    bool pads_nearly = false;
    int given = 0; ///< options of each kind, in digits to the base 16: means, deviations, paddings

    /// The byte whose real is nearest to 0 in all channels: half way between the least and the greatest mean.
    [[nodiscard]] constexpr int zero_point() const {
        float least = mean.values[0];
        float greatest = least;
        for (std::size_t c = 1; c < static_cast<std::size_t>(mean.count); ++c) {
            least = (std::min)(least, mean.values[c]);
            greatest = (std::max)(greatest, mean.values[c]);
        }
        const float middle = (least + greatest) / 2 + 0.5F;
        return middle < 0 ? 0 : (middle >= 255 ? 255 : static_cast<int>(middle));
    }
    /// Whether the real 0 is that byte in every channel, so that padding is exact.
    [[nodiscard]] constexpr bool zero_is_a_byte() const {
        for (std::size_t c = 0; c < static_cast<std::size_t>(mean.count); ++c)
            if (mean.values[c] != static_cast<float>(zero_point())) return false;
        return true;
    }
};

template <real... Values>
constexpr channel_values values_of() {
    static_assert(sizeof...(Values) >= 1 && sizeof...(Values) <= max_image_channels,
                  "statiq: an image has 1 to 16 means and deviations, one for each channel or one for all");
    channel_values made{.count = sizeof...(Values)};
    std::size_t channel = 0;
    ((made.values[channel++] = Values.value), ...);
    return made;
}

} // namespace detail

/// The byte of each channel that stands for 0 (or one for all), as fractions may: `channel_means<127.5>`.
template <detail::real... Means>
struct channel_means {
    static constexpr void apply(detail::byte_values& to) {
        to.mean = detail::values_of<Means...>();
        to.given += 1;
    }
};
/// How many bytes make 1 in each channel, or in all of them.
template <detail::real... Deviations>
struct channel_deviations {
    static constexpr void apply(detail::byte_values& to) {
        to.deviation = detail::values_of<Deviations...>();
        to.given += 16;
    }
};
/// Where no byte is 0 in every channel, padded taps read the nearest one. `padding_error` says what that costs.
struct nearest_padding {
    static constexpr void apply(detail::byte_values& to) {
        to.pads_nearly = true;
        to.given += 256;
    }
};

namespace detail {
template <class T>
concept byte_option = requires(byte_values& to) {
    T::apply(to);
};
} // namespace detail

/// What the bytes of an image stand for: the real (byte - mean) / deviation of its channel. As an option of `quantize`
/// it makes a model that takes the bytes as they are.
/// @tparam Options `channel_means<123.675, 116.28, 103.53>` (0 where not given), `channel_deviations<58.4, 57.1, 57.4>`
/// (1), `nearest_padding`; in any order
template <detail::byte_option... Options>
struct byte_image {
    static constexpr detail::byte_values values = [] {
        detail::byte_values made;
        (Options::apply(made), ...);
        return made;
    }();
    static constexpr bool once = (values.given & ~0x111) == 0;
    static constexpr bool positive = values.deviation.all_positive();
    static_assert(positive, "statiq: a channel's deviation is positive");
    static_assert(once, "statiq: two options of byte_image decide the same; write one of them");
};

namespace detail {
template <class T>
concept meaning_of_bytes = std::same_as<std::remove_cv_t<decltype(T::values)>, byte_values>;
} // namespace detail

} // namespace statiq
