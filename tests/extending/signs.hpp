// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace own {

/// Steps of one length, against the sign of a decaying mean of gradients (Lion, Chen et al., arXiv 2302.06675,
/// algorithm 2, without its weight decay): the sign is that of the mean with `nearer` of the gradient in it.
struct signs {
    double nearer = 0.1;
    double kept = 0.99;

    static constexpr std::array<std::string_view, 1> memory{"mean"};

    void update(std::span<float> values, std::span<const float> gradient, std::array<std::span<float>, 1> of,
                double rate, std::uint64_t) const {
        const auto share = static_cast<float>(nearer);
        const auto forgotten = static_cast<float>(1 - kept);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const float to = of[0][i] + share * (gradient[i] - of[0][i]);
            values[i] -= static_cast<float>(rate) * (to > 0 ? 1.0F : to < 0 ? -1.0F : 0.0F);
            of[0][i] += forgotten * (gradient[i] - of[0][i]);
        }
    }
};

} // namespace own
