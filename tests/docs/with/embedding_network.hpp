// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

#include <array>
#include <cstdint>

/// The network whose parameters are written by one program and embedded in others.
struct network final : statiq::network<decltype(statiq::input<6, 6, 3> | statiq::conv<8>(statiq::kernel<3>) |
                                                statiq::relu | statiq::global_average_pool | statiq::dense<4>)> {};
using Q =
    statiq::numbers_chosen<statiq::deployed<network>, statiq::quantized<8, statiq::symmetric, statiq::per_channel>,
                           statiq::quantized<8, statiq::asymmetric>>;

/// What all of them run it on.
inline std::array<std::uint8_t, 6 * 6 * 3> input() {
    std::array<std::uint8_t, 6 * 6 * 3> values{};
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * 37 % 256);
    return values;
}
