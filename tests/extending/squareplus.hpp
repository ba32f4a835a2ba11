// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/operations/elementwise.hpp>

#include <cmath>
#include <string_view>

namespace own {

/// A smooth rectifier.
struct squareplus {
    static constexpr std::string_view word = "squareplus";
    float operator()(float x) const { return 0.5F * (x + std::sqrt(x * x + 4.0F)); }
    float derivative(float x) const { return 0.5F * (1.0F + x / std::sqrt(x * x + 4.0F)); }
};

inline constexpr auto squareplus_layer = statiq::elementwise<squareplus>;

} // namespace own
