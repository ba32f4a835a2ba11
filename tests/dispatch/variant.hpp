// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

#include <cstddef>
#include <cstdint>

/// What the variants and the program that compares them agree on.
namespace dispatched {

struct trained final
    : statiq::network<decltype(statiq::input<19, 17, 3> | statiq::conv<40>(statiq::kernel<3>, statiq::stride<2>) |
                               statiq::relu | statiq::depthwise | statiq::relu6 | statiq::conv<72> |
                               statiq::add(statiq::conv<72>(statiq::kernel<3>) | statiq::relu, statiq::identity) |
                               statiq::depthwise(statiq::kernel<5>) | statiq::max_pool | statiq::global_average_pool |
                               statiq::dense<10>)> {};
using weight = statiq::quantized<8, statiq::symmetric, statiq::per_channel>;
using activation = statiq::quantized<8, statiq::asymmetric>;
using numbers = statiq::numbers_chosen<statiq::deployed<trained>, weight, activation>;

struct table {
    const char* (*compiled_for)() noexcept; ///< the best instruction set the sources see
    /// Runs the network with `parameters`, whatever variant or program has made them.
    void (*run)(const std::byte* parameters, std::size_t size, std::uint8_t* arena, const std::uint8_t* input,
                std::uint8_t* output);
};

const char* instruction_set() noexcept;

} // namespace dispatched
