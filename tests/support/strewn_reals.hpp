// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "guarded.hpp"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

/// Reals with NaNs and infinities strewn in, and what it means that two results of them are the same.
namespace support {

/// Small integers, so that every finite sum of products is exact in whatever order and precision it is taken; and, at a
/// density that is drawn for the whole tensor, NaNs, infinities and zeros of either sign.
template <class Vector = guarded_vector<float>>
Vector strewn_reals(std::mt19937& random, std::size_t count) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float odd[] = {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity, 0.0F, -0.0F};
    const auto draw = [&](int lowest, int highest) {
        return std::uniform_int_distribution<int>(lowest, highest)(random);
    };
    const int density = draw(0, 3);
    const int rarity = density == 1 ? 300 : density == 2 ? 30 : 4;
    Vector values(count);
    for (float& value : values)
        value = density > 0 && draw(1, rarity) == 1 ? odd[draw(0, 4)] : static_cast<float>(draw(-4, 4));
    return values;
}

/// Both NaN, or the same bits.
inline bool same_real(float a, float b) {
    return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}
template <class First, class Second>
bool same_reals(const First& a, const Second& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_real);
}

/// What a clamp makes of a real, whatever else happens in one loop with it: a NaN is neither below nor above a bound.
inline float clamped(float x, float lowest, float highest) {
    if (x < lowest) return lowest;
    if (x > highest) return highest;
    return x;
}

struct real_bounds {
    float lowest, highest;
};
/// Those of the activations, and some whose zero has a sign.
inline real_bounds random_bounds(std::mt19937& random) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr real_bounds all[] = {{-infinity, infinity}, {0, infinity}, {0, 6},         {-1, 1},
                                   {-0.0F, infinity},     {-3, 0},       {-infinity, 2}, {-3, -0.0F}};
    return all[std::uniform_int_distribution<std::size_t>(0, std::size(all) - 1)(random)];
}

} // namespace support
